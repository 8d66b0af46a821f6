import { Command } from 'commander';
import { verifyKeyring } from '../../installations/verify-keyring.ts';
import { CommandError } from '../command-error.ts';
import { type KeyUsage, readKeyUsage } from '../keys/key-usage.ts';
import { rotateKeys } from '../keys/rotate-keys.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Column, table } from '../terminal/table.ts';
import { withDatabase } from '../with-database.ts';
import { exampleLines, jsonOption } from './command-help.ts';

/** `keys rotate`: everything under the first key. */
export function keysCommand(deps: OperatorDeps): Command {
  const rotate = new Command('rotate')
    .summary('encrypt everything stored with the first key')
    .description(
      'Encrypts every stored token anew with the first key, while Foyer works, and tells for each key whether anything ' +
        'still needs it. First put the new key before the old one (TOKEN_ENCRYPTION_KEYS=new:…,old:…, or a line above ' +
        'the others in the key file) and restart every Foyer: one that runs with the old order goes on encrypting with ' +
        'the old key. With several machines, give it to all as the last key before that: who lacks it reads nothing that ' +
        'is encrypted with it. It may be stopped and begun again.',
    )
    .option('--dry-run', 'only count what each key is needed for')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      exampleLines([
        ['keys rotate --dry-run', 'which keys are in use?'],
        ['keys rotate', 'after a new key was put first, and Foyer restarted'],
      ]),
    )
    .action((options: { dryRun?: boolean; json?: boolean }) => run(deps, options));
  return new Command('keys')
    .summary('encrypt everything with the first key (keys rotate)')
    .description('The keys that stored tokens are encrypted with.')
    .addCommand(rotate)
    .addHelpText(
      'after',
      exampleLines([['keys rotate --json', 'rotate, and print the outcome for a script']]),
    );
}

async function run(deps: OperatorDeps, options: { dryRun?: boolean; json?: boolean }): Promise<void> {
  await withDatabase(deps, async (config, database) => {
    const keyring = deps.loadKeyring(config);
    await verifyKeyring(database, keyring, deps.now);
    let renewed = 0;
    if (!options.dryRun) {
      const stale = (await readKeyUsage(database.queries, keyring)).slice(1);
      const total = stale.reduce((sum, key) => sum + key.total, 0);
      const onProgress = (done: number) => deps.progress(`${done} of about ${total} encrypted anew`);
      try {
        renewed = await rotateKeys({ database, keyring, onProgress });
      } finally {
        deps.progress(null);
      }
    }
    const keys = await readKeyUsage(database.queries, keyring);
    if (options.json) deps.output.printJson({ renewed, keys: keys.map(keyJson) });
    else {
      deps.output.print(table(deps.output, columns, keys));
      for (const line of advice(keys, renewed, options.dryRun)) deps.output.note(line);
    }
    const late = keys.filter((key) => key.role !== 'current' && key.total > 0);
    if (late.length === 0 || options.dryRun) return;
    throw new CommandError(
      `Something is still encrypted with ${late.map(({ id }) => id).join(', ')}: a Foyer that runs with the old order ` +
        'of keys has written it. Restart every Foyer with the new key first, and run this again.',
    );
  });
}

function keyJson({ id, role, total, bots, users, requests }: KeyUsage) {
  return { id, role, needed: role === 'current' || total > 0, total, bots, users, requests };
}

function advice(keys: KeyUsage[], renewed: number, dryRun: boolean | undefined): string[] {
  const free = keys.filter(({ role, total }) => role === 'given' && total === 0).map(({ id }) => id);
  const lines = dryRun
    ? []
    : [renewed === 0 ? 'Nothing had to be encrypted anew.' : `Encrypted anew: ${renewed}.`];
  if (free.length > 0) {
    lines.push(
      `Nothing needs ${free.join(', ')} any more. Remove it from TOKEN_ENCRYPTION_KEYS (or the key file) once every ` +
        'Foyer has run with the new key first for ten minutes, so that installs under way can finish. Keep it as long ' +
        'as you keep backups that were made with it.',
    );
  }
  return lines;
}

const columns: Column<KeyUsage>[] = [
  { title: 'KEY', value: ({ id }) => id },
  { title: 'ROLE', value: ({ role }) => roles[role] },
  { title: 'BOTS', value: ({ bots }) => bots },
  { title: 'PEOPLE', value: ({ users }) => users },
  { title: 'UNSTORED', value: ({ requests }) => requests },
  {
    title: 'NEEDED',
    value: ({ role, total }) => (role === 'current' || total > 0 ? 'yes' : 'no'),
    style: ({ role, total }) => (role === 'missing' && total > 0 ? 'red' : undefined),
  },
];

const roles: Readonly<Record<KeyUsage['role'], string>> = {
  current: 'encrypts',
  given: 'decrypts',
  missing: 'not given',
};
