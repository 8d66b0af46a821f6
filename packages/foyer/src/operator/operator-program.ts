import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { createScrubber } from '../config/log.ts';
import { foyerVersion } from '../config/version.ts';
import { CopyError } from '../database/copy/copy-mark.ts';
import { DatabaseNewerError, DatabaseUnavailableError } from '../database/database.ts';
import { OwnMigrationError } from '../database/migrate.ts';
import { BackupDamagedError } from '../database/sqlite/verify-backup.ts';
import { KeyringError } from '../installations/keyring.ts';
import { KeyMissingError, SealBrokenError } from '../installations/sealer.ts';
import { CommandError, UsageError } from './command-error.ts';
import { backupCommand } from './commands/backup-command.ts';
import { completionCommands } from './commands/completion-command.ts';
import { connectCommand } from './commands/connect-command.ts';
import { copyCommand } from './commands/copy-command.ts';
import { doctorCommand } from './commands/doctor-command.ts';
import { eraseCommand } from './commands/erase-command.ts';
import { exportCommand } from './commands/export-command.ts';
import { importCommand } from './commands/import-command.ts';
import { jobsCommand } from './commands/jobs-command.ts';
import { keysCommand } from './commands/keys-command.ts';
import { listCommand } from './commands/list-command.ts';
import { maintenanceCommand } from './commands/maintenance-command.ts';
import { manifestCommand } from './commands/manifest-command.ts';
import { membersCommand } from './commands/members-command.ts';
import { purgeCommand } from './commands/purge-command.ts';
import { requestsCommand } from './commands/requests-command.ts';
import { retryCommand } from './commands/retry-command.ts';
import { reviewCommand } from './commands/review-command.ts';
import { revokeCommand } from './commands/revoke-command.ts';
import { setupCommand } from './commands/setup-command.ts';
import { showCommand } from './commands/show-command.ts';
import { supportBundleCommand } from './commands/support-bundle-command.ts';
import { inLocalCommands } from './local-commands.ts';
import type { OperatorDeps } from './operator-deps.ts';

/** All commands, in the order in which help shows them. A new one needs one file and one entry here. */
const commands = [
  setupCommand,
  doctorCommand,
  supportBundleCommand,
  reviewCommand,
  listCommand,
  showCommand,
  membersCommand,
  requestsCommand,
  retryCommand,
  jobsCommand,
  connectCommand,
  revokeCommand,
  exportCommand,
  eraseCommand,
  purgeCommand,
  maintenanceCommand,
  backupCommand,
  copyCommand,
  importCommand,
  keysCommand,
  manifestCommand,
];

/** How a command ended, for the shell. */
export type ExitCode = 0 | 1 | 2;

/**
 * Runs one command of the operator. Returns 0 if it succeeded, 1 if it failed and 2 for wrong usage; stderr says what
 * went wrong, without any secret.
 */
export async function runOperatorCommand(
  deps: OperatorDeps,
  commandLine: readonly string[],
): Promise<ExitCode> {
  try {
    const program = createProgram(deps);
    const [completion, complete] = completionCommands(deps, () => createProgram(deps));
    program.addCommand(completion.copyInheritedSettings(program));
    program.addCommand(complete.copyInheritedSettings(program), { hidden: true });
    await program.parseAsync(commandLine, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has already written its help or error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    deps.output.note(inLocalCommands(scrub(failureText(error)), deps.commands));
    return error instanceof UsageError ? 2 : 1;
  }
}

const scrubTokens = createScrubber([]);

/**
 * Matches the password of an address: everything between its user and its last @, except in the example in the fixes of
 * the configuration.
 */
const addressPassword =
  /(?<=:\/\/[^\s:/@]*:)(?!password@host(?:\/database|:587)(?:\s|$))\S+(?=@)|(?<=[?&]password=)[^\s&]+/g;

/** Hides everything that looks like a secret. */
function scrub(text: string): string {
  return scrubTokens(text).replace(addressPassword, '[secret]');
}

function createProgram(deps: OperatorDeps): Command {
  const { output } = deps;
  const program = new Command('npm run foyer --')
    .description('The operator’s tools: who is installed, what failed and why, and how to fix it.')
    .version(foyerVersion, '--version', 'print the version of Foyer')
    .configureOutput({
      writeOut: (text) => output.print(text.trimEnd()),
      // Commander quotes what it does not understand, which may be an address with a password in it.
      writeErr: (text) => output.note(scrub(text.trimEnd())),
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    })
    .showHelpAfterError('(--help shows how it is used)')
    .exitOverride()
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage. Times are in UTC.');
  for (const create of commands) program.addCommand(create(deps).copyInheritedSettings(program));
  return program;
}

/** Errors whose message is enough for the operator to act. */
const told = [
  CommandError,
  UsageError,
  ConfigError,
  DatabaseNewerError,
  OwnMigrationError,
  BackupDamagedError,
  CopyError,
  KeyringError,
  SealBrokenError,
  KeyMissingError,
];

/** Any other failure is a bug in Foyer, so its stack is printed too. */
function failureText(error: unknown): string {
  if (!(error instanceof Error)) return `Unexpected error: ${String(error)}`;
  if (error instanceof DatabaseUnavailableError) return error.advice;
  if (told.some((known) => error instanceof known)) return error.message;
  return `Unexpected error. This is a bug in Foyer:\n${error.stack}`;
}
