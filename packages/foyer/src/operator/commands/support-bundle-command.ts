import { rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { CommandError, UsageError } from '../command-error.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import type { SupportBundle } from '../support-bundle/collect-bundle.ts';
import { plainJson } from '../terminal/plain-text.ts';
import { fieldLines } from '../terminal/table.ts';
import { operatorCommand } from './command-help.ts';

/** `support-bundle [FILE]`: writes a file without secrets, for someone who helps you. */
export function supportBundleCommand(deps: OperatorDeps): Command {
  return operatorCommand('support-bundle', {
    summary: 'write a file without secrets, for someone who helps you',
    description:
      'Writes one new JSON file (mode 0600) with the versions, the configuration without its ' +
      'secrets, the names of steps and jobs, what doctor finds, what the running Foyer reports, the migrations, and ' +
      'counts of installations, runs, failed steps and install requests. It holds no token, no secret, and no name or ' +
      'email address of a person, but it does hold PUBLIC_URL, file paths and run ids. A part that cannot be ' +
      'collected, such as the counts while the database is down, is listed under “missing” with the reason. The ' +
      'command never overwrites a file, and changes nothing else.',
    examples: [
      ['support-bundle', 'create a file to read, and to attach when you ask for help'],
      ['support-bundle /tmp/foyer.json --offline', 'without contacting anything over the network'],
      ['support-bundle --json', 'print the bundle, for a script'],
    ],
  })
    .argument('[file]', 'the file to create (default: foyer-support-<time>.json); - prints the bundle')
    .option('--offline', 'do not contact Slack, the running Foyer, the webhook or the mail server')
    .action(async (given: string | undefined, options: { offline?: boolean; json?: boolean }) => {
      const isPrinted = options.json === true || given === '-';
      if (options.json && given !== undefined && given !== '-') {
        throw new UsageError('Give either a file or --json, which prints the bundle.');
      }
      const { collectBundle } = await import('../support-bundle/collect-bundle.ts');
      const bundle = await collectBundle(deps, { offline: options.offline === true });
      if (isPrinted) return deps.output.printJson(bundle);
      const file = resolve(deps.folder, given ?? `foyer-support-${fileTime(deps.now())}.json`);
      writeBundle(file, bundle);
      const absent = bundle.missing.map(({ part }) => part).join(', ');
      deps.output.print(
        fieldLines([
          ['bundle', file],
          ['missing', absent === '' ? null : absent],
        ]),
      );
      deps.output.note('The bundle holds no secret. Read it before you send it to someone.');
    });
}

/** Formats a time so that file names may contain it on every system: `2026-11-22T014703Z`. */
function fileTime(at: number): string {
  return new Date(at).toISOString().replace(/:|\.\d+/g, '');
}

function writeBundle(file: string, bundle: SupportBundle): void {
  try {
    writeFileSync(file, `${plainJson(bundle)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new CommandError(
        `${file} already exists, and a bundle never overwrites a file. Use another name.`,
      );
    }
    if (code === 'ENOENT') throw new CommandError(`There is no folder ${dirname(file)}. Create it first.`);
    // If the disk is full or failing, the file may contain half a bundle.
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO') rmSync(file, { force: true });
    throw new CommandError(
      `${file} cannot be written: ${message}. Name a file in a folder that this user can write to, or give - to print the bundle.`,
      { cause },
    );
  }
}
