import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { counted } from '../../config/counted.ts';
import type { Queries } from '../../database/database.ts';
import { listKeyIds } from '../../database/encryption-keys.ts';
import { countSeals, type SealCount } from '../../database/seals.ts';
import { type Keyring, KeyringError, keyFileOf } from '../../installations/keyring.ts';
import { sealedPrefix } from '../../installations/sealer.ts';
import { findKeyMisfit, verifyKeyring } from '../../installations/verify-keyring.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { forgetKey } from '../keys/forget-key.ts';
import { rotateKeys } from '../keys/rotate-keys.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { noteReconnectLinks, withReconnectLink } from '../reconnect-link.ts';
import { type Column, table } from '../terminal/table.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

/** `keys rotate`: re-encrypts every token with the first key. `keys forget`: erases the tokens whose key is lost. */
export function keysCommand(deps: OperatorDeps): Command {
  const rotate = operatorCommand('rotate', {
    summary: 're-encrypt every stored token with the first key',
    description:
      'Re-encrypts every stored token with the first key while Foyer runs, and reports for each key whether anything ' +
      'still needs that key. Before you run this, put the new key before the old one (TOKEN_ENCRYPTION_KEYS=new:…,old:…, ' +
      'or a line above the others in the key file) and restart every Foyer: a Foyer that runs with the old order keeps ' +
      'encrypting with the old key. If you have several machines, first add the new key after the old one on all of ' +
      'them: a machine without the new key cannot read what the others encrypt with it. You can stop this command and run it again.',
    examples: [
      ['keys rotate --dry-run', 'which keys are in use?'],
      ['keys rotate', 'run this after you have put a new key first in the list and restarted every Foyer'],
    ],
  })
    .option('--dry-run', 'count what each key encrypts, but re-encrypt nothing')
    .action((options: { dryRun?: boolean; json?: boolean }) => run(deps, options));
  const forget = operatorCommand('forget', {
    summary: 'erase what was encrypted with a lost key, but keep the records',
    description:
      'Use this if a key is lost and cannot be restored. Every installation whose token was encrypted with it is marked as broken, ' +
      'and people’s own tokens that were encrypted with it are erased. Records, runs and history stay: when an admin ' +
      'installs the app again, the same installation continues. Foyer refuses to start until the key is restored or ' +
      'forgotten.',
    examples: [
      ['keys forget main', 'the key “main” is lost, and no backup has it'],
      ['keys forget main --yes --json', 'do not ask; print a link to reconnect for each team, for a script'],
    ],
  })
    .argument('<key>', 'the id of the lost key, from the error at startup')
    .option('-y, --yes', 'do not ask for confirmation')
    .action((id: string, options: { yes?: boolean; json?: boolean }) => forgetLost(deps, id, options));
  return operatorCommand('keys', {
    summary: 're-encrypt everything with the first key (rotate), or erase what a lost key encrypted (forget)',
    description: 'Manages the keys with which Foyer encrypts the tokens that it stores.',
    examples: [['keys rotate --json', 'rotate, and print the outcome for a script']],
  })
    .addCommand(rotate)
    .addCommand(forget);
}

async function run(deps: OperatorDeps, options: { dryRun?: boolean; json?: boolean }): Promise<void> {
  await withDatabase(deps, async (config, database) => {
    const keyring = deps.loadKeyring(config);
    let renewed = 0;
    if (options.dryRun) {
      const misfit = await findKeyMisfit(database.queries, keyring, { now: deps.now(), everySeal: false });
      if (misfit !== undefined) throw new KeyringError(misfit);
    } else {
      await verifyKeyring(database, keyring, { now: deps.now });
      const stale = (await readKeyUsage(database.queries, keyring)).slice(1);
      const total = stale.reduce((sum, key) => sum + key.total, 0);
      const onProgress = (done: number) =>
        deps.progress({ doing: 're-encrypting', done, of: total, unit: 'tokens' });
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
      `Some tokens are still encrypted with ${late.map(({ id }) => id).join(', ')}: a Foyer that runs with the old ` +
        'order of keys wrote them. In the keys of every Foyer, put the new key before the old one. Then restart every ' +
        'Foyer, and run this again.',
    );
  });
}

async function forgetLost(
  deps: OperatorDeps,
  id: string,
  options: { yes?: boolean; json?: boolean },
): Promise<void> {
  const { confirm, output } = deps;
  if (!options.yes && !confirm)
    throw new UsageError(
      'keys forget asks for confirmation, and there is no terminal to ask on. Add --yes to skip the question.',
    );
  await withDatabase(deps, async (config, database) => {
    if (configuredIds(deps, config).includes(id)) {
      throw new CommandError(
        `The key ${id} is not lost: TOKEN_ENCRYPTION_KEYS (or the key file) has a key with this id. If that key is a new ` +
          'one, give it another id, and run this again. Nothing was changed.',
      );
    }
    const { queries } = database;
    const sealed = await countSeals(queries, sealedPrefix(id));
    const total = sealed.bots + sealed.users + sealed.requests;
    const known = await listKeyIds(queries);
    if (total === 0 && !known.includes(id)) {
      throw new CommandError(
        `This database has never used a key ${id}. It has used: ${known.join(', ') || 'none'}. Nothing was changed.`,
      );
    }
    if (!options.yes) {
      output.note(
        `This erases every token that only the key ${id} can decrypt. Installations that lose their token: ${sealed.bots}; ` +
          `people: ${sealed.users}; interrupted installs: ${sealed.requests}.`,
      );
      if (!(await confirm?.(`Is the key ${id} lost?`))) throw new CommandError('Nothing was changed.');
    }
    const forgotten = await forgetKey(database, { id, now: deps.now });
    // A reconnect link installs this app, so a team of another app in this database gets no link.
    const own = forgotten.installations.filter(({ clientId }) => clientId === config.slack.clientId);
    const installations = own.map(({ teamId, enterpriseId }) =>
      withReconnectLink(config, { teamId, enterpriseId }),
    );
    const { people, requests } = forgotten;
    const others = forgotten.installations.length - own.length;
    if (others > 0) {
      output.note(
        `${counted(others, 'installation')} of another app in this database lost ${others === 1 ? 'its token' : 'their tokens'} too: that app’s \`list --status broken\` shows ${others === 1 ? 'it' : 'them'}.`,
      );
    }
    if (options.json) return output.printJson({ key: id, installations, people, requests });
    output.print(
      `The key ${id} is forgotten. Installations that lost their token: ${installations.length}; people: ${people}.`,
    );
    noteReconnectLinks(output, installations);
  });
}

/** Returns the ids of the keys that Foyer has; an empty list if its key file is lost. @throws KeyringError */
function configuredIds(deps: OperatorDeps, config: Config): readonly string[] {
  try {
    return deps.loadKeyring(config).ids;
  } catch (error) {
    const file = keyFileOf(config);
    if (error instanceof KeyringError && file !== undefined && !existsSync(file)) return [];
    throw error;
  }
}

function keyJson({ id, role, total, bots, users, requests }: KeyUsage) {
  return { id, role, needed: role === 'current' || total > 0, total, bots, users, requests };
}

function advice(keys: KeyUsage[], renewed: number, dryRun: boolean | undefined): string[] {
  const free = keys.filter(({ role, total }) => role === 'given' && total === 0).map(({ id }) => id);
  const lines = dryRun
    ? []
    : [renewed === 0 ? 'Nothing had to be re-encrypted.' : `Re-encrypted: ${renewed}.`];
  if (free.length > 0) {
    lines.push(
      `Nothing needs ${free.join(', ')} anymore. Wait until every Foyer has run for ten minutes with the new key first in ` +
        'the list, so that installs in progress can finish. Then remove a key that is not needed from ' +
        'TOKEN_ENCRYPTION_KEYS (or the key file). Keep a copy of that key as long as you keep backups that were made with it.',
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

/** A key id, and how many values are sealed with that key. */
interface KeyUsage extends SealCount {
  id: string;
  /**
   * current: the first key, which encrypts. given: another configured key, which only decrypts. missing: the key is not
   * configured.
   */
  role: 'current' | 'given' | 'missing';
  /** How many values are sealed with the key. While this is not 0, the key must stay configured. */
  total: number;
}

/** Counts the sealed values of each configured key, and of each other key whose id the database has recorded. */
async function readKeyUsage(queries: Queries, keyring: Pick<Keyring, 'ids'>): Promise<KeyUsage[]> {
  const ids = new Set([...keyring.ids, ...(await listKeyIds(queries))]);
  const usage: KeyUsage[] = [];
  for (const id of ids) {
    const count = await countSeals(queries, sealedPrefix(id));
    const role = id === keyring.ids[0] ? 'current' : keyring.ids.includes(id) ? 'given' : 'missing';
    usage.push({ id, role, ...count, total: count.bots + count.users + count.requests });
  }
  return usage;
}
