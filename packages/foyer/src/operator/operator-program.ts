import { Command, CommanderError } from 'commander';
import { ConfigError, configErrorText } from '../config/config-error.ts';
import { createScrubber } from '../config/log.ts';
import { foyerVersion } from '../config/version.ts';
import { CopyError } from '../database/copy/copy-mark.ts';
import { DatabaseNewerError, DatabaseUnavailableError } from '../database/database.ts';
import { OwnMigrationError } from '../database/migrate.ts';
import { BackupDamagedError } from '../database/sqlite/verify-backup.ts';
import { KeyringError } from '../installations/keyring.ts';
import { KeyMissingError, SealBrokenError } from '../installations/sealer.ts';
import { CommandError, UsageError } from './command-error.ts';
import { completionCommands } from './commands/completion-command.ts';
import { inLocalCommands, type LocalCommands } from './local-commands.ts';
import type { OperatorDeps } from './operator-deps.ts';
import type { Output } from './terminal/output.ts';

/**
 * All commands by name, in the order in which help shows them. A new command needs one file and one entry here.
 *
 * Why each command is loaded only when it is called: a script may call a command a thousand times, and loading all
 * commands takes twice as long as loading only `list`.
 */
const commands: Readonly<Record<string, () => Promise<(deps: OperatorDeps) => Command>>> = {
  setup: async () => (await import('./commands/setup-command.ts')).setupCommand,
  doctor: async () => (await import('./commands/doctor-command.ts')).doctorCommand,
  'support-bundle': async () => (await import('./commands/support-bundle-command.ts')).supportBundleCommand,
  review: async () => (await import('./commands/review-command.ts')).reviewCommand,
  list: async () => (await import('./commands/list-command.ts')).listCommand,
  show: async () => (await import('./commands/show-command.ts')).showCommand,
  members: async () => (await import('./commands/members-command.ts')).membersCommand,
  requests: async () => (await import('./commands/requests-command.ts')).requestsCommand,
  retry: async () => (await import('./commands/retry-command.ts')).retryCommand,
  jobs: async () => (await import('./commands/jobs-command.ts')).jobsCommand,
  connect: async () => (await import('./commands/connect-command.ts')).connectCommand,
  revoke: async () => (await import('./commands/revoke-command.ts')).revokeCommand,
  export: async () => (await import('./commands/export-command.ts')).exportCommand,
  erase: async () => (await import('./commands/erase-command.ts')).eraseCommand,
  purge: async () => (await import('./commands/purge-command.ts')).purgeCommand,
  maintenance: async () => (await import('./commands/maintenance-command.ts')).maintenanceCommand,
  backup: async () => (await import('./commands/backup-command.ts')).backupCommand,
  copy: async () => (await import('./commands/copy-command.ts')).copyCommand,
  import: async () => (await import('./commands/import-command.ts')).importCommand,
  keys: async () => (await import('./commands/keys-command.ts')).keysCommand,
  manifest: async () => (await import('./commands/manifest-command.ts')).manifestCommand,
};

/** How a command ended, for the shell. */
export type ExitCode = 0 | 1 | 2;

/**
 * Runs one command of the operator. Returns 0 if it succeeded, 1 if it failed, and 2 for wrong usage. Writes what went
 * wrong to stderr, without any secret.
 */
export async function runOperatorCommand(
  given: OperatorDeps,
  commandLine: readonly string[],
): Promise<ExitCode> {
  const deps = { ...given, output: inLocalOutput(given.output, given.commands) };
  try {
    const program = await createProgram(deps, neededFor(commandLine));
    const [completion, complete] = completionCommands(deps, () => createProgram(deps));
    program.addCommand(completion.copyInheritedSettings(program));
    program.addCommand(complete.copyInheritedSettings(program), { hidden: true });
    await program.parseAsync(commandLine, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has already written its help or error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    deps.output.note(scrub(failureText(error, commandLine[0])));
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Applies `inLocalCommands` to help, results and notes. */
function inLocalOutput(output: Output, commands: LocalCommands | undefined): Output {
  return {
    ...output,
    print: (lines) => output.print(inLocalCommands(lines, commands)),
    note: (lines) => output.note(inLocalCommands(lines, commands)),
  };
}

const scrubTokens = createScrubber([]);

/**
 * Matches the password in a URL: everything between the user name and the last @, or the parameter `password` of the
 * query. Does not match the example URLs (`user:password@host`) in the texts that explain a wrong configuration.
 */
const addressPassword =
  /(?<=:\/\/[^\s:/@]*:)(?!password@host(?:\/database|:587)(?:\s|$))\S+(?=@)|(?<=[?&]password=)[^\s&]+/g;

/** Hides everything that looks like a secret. */
function scrub(text: string): string {
  return scrubTokens(text).replace(addressPassword, '[secret]');
}

/**
 * Returns the names of the commands to load for a command line: the command that it names, or none for `--version`.
 * Undefined means all commands: help and completion need them.
 */
function neededFor([first = '']: readonly string[]): string[] | undefined {
  if (first === '--version') return [];
  return Object.hasOwn(commands, first) ? [first] : undefined;
}

async function createProgram(deps: OperatorDeps, needed = Object.keys(commands)): Promise<Command> {
  const { output } = deps;
  const program = new Command('npm run foyer --')
    .description('The operator’s tools: who has installed the app, what failed and why, and how to fix it.')
    .version(foyerVersion, '--version', 'print the version of Foyer')
    .configureOutput({
      writeOut: (text) => output.print(text.trimEnd()),
      // Commander quotes arguments that it does not understand. One of them may be a URL with a password.
      writeErr: (text) => output.note(scrub(text.trimEnd())),
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    })
    .showHelpAfterError('(add --help to see the usage)')
    .exitOverride()
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage. Times are in UTC.');
  const loaded = Object.entries(commands).filter(([name]) => needed.includes(name));
  for (const create of await Promise.all(loaded.map(([, load]) => load()))) {
    const command = create(deps).copyInheritedSettings(program);
    for (const each of command.commands) each.copyInheritedSettings(command);
    for (const each of command.commands.length > 0 ? command.commands : [command])
      each.option('--json', 'print only JSON on stdout; notes and errors go to stderr');
    program.addCommand(command);
  }
  return program;
}

/** Errors whose message is enough for the operator to act. */
const explained = [
  CommandError,
  UsageError,
  DatabaseNewerError,
  OwnMigrationError,
  BackupDamagedError,
  CopyError,
  KeyringError,
  SealBrokenError,
  KeyMissingError,
];

/**
 * Returns what to print about a failure. Any error without its own branch is a bug in Foyer, so the text then includes
 * the stack.
 */
function failureText(error: unknown, command = ''): string {
  if (!(error instanceof Error)) return `Unexpected error: ${String(error)}`;
  if (error instanceof DatabaseUnavailableError) return error.advice;
  // The text says that the command cannot run, not that Foyer cannot start: only `serve` starts it.
  if (error instanceof ConfigError) return configErrorText(`${command} cannot run`, error.problems);
  if (explained.some((known) => error instanceof known)) return error.message;
  return `Unexpected error. This is a bug in Foyer:\n${error.stack}`;
}
