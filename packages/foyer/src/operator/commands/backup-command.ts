import { copyFileSync, lstatSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type BackupProgress, type Database, DatabaseUnavailableError } from '../../database/database.ts';
import { recordBackup } from '../../database/last-backup.ts';
import { BackupDamagedError, verifyBackup } from '../../database/sqlite/verify-backup.ts';
import { findKeyMisfit } from '../../installations/verify-keyring.ts';
import { backupDatabase } from '../backup-database.ts';
import { CommandError } from '../command-error.ts';
import { sizeText } from '../doctor/database-findings.ts';
import { isoTime } from '../install-record-json.ts';
import { countInstallations } from '../installation-lists.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { fieldLines } from '../terminal/table.ts';
import { timeText } from '../terminal/time-text.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

/** `backup FILE`: makes a verified copy of the database while Foyer keeps running. */
export function backupCommand(deps: OperatorDeps): Command {
  return operatorCommand('backup', {
    summary: 'copy the database to a new file, and verify the copy',
    description:
      'Copies the database to a new file (mode 0600) while Foyer keeps running, then opens the copy and checks every ' +
      'page of it. Never overwrites a file. The tokens in the copy stay encrypted, and the keys are not in it: keep ' +
      'TOKEN_ENCRYPTION_KEYS, or the key file next to the database, in another safe place. A Postgres database is ' +
      'written to a SQLite file from a single snapshot and compared row by row. Foyer can start on that file, and ' +
      'copy --to brings it back to Postgres.',
    examples: [
      ['backup /var/backups/foyer-2026-11-22.db', 'before an upgrade'],
      [
        'backup --verify /var/backups/foyer-2026-11-22.db',
        'can this backup be restored, and what does it hold?',
      ],
    ],
  })
    .argument('<file>', 'the file to create; with --verify, the backup to check')
    .option(
      '--verify',
      'make no backup, but rehearse the restore of an existing one: on a temporary copy, with the current migrations and keys',
    )
    .action(async (given: string, options: { verify?: boolean; json?: boolean }) => {
      const file = resolve(given);
      if (options.verify) return verify(deps, file, options);
      await withDatabase(deps, async (_config, database) => {
        const onProgress = (at: BackupProgress) => deps.progress({ doing: 'backing up', ...at });
        const bytes = await backupDatabase(database, file, onProgress).finally(() => deps.progress(null));
        await noteBackup(deps, database);
        if (options.json) return deps.output.printJson({ file, bytes, verified: true });
        deps.output.print(
          fieldLines([
            ['backup', file],
            ['size', sizeText(bytes)],
            ['verified', 'yes'],
          ]),
        );
        deps.output.note('The backup does not contain the encryption keys: keep them in another safe place.');
      });
    });
}

async function verify(deps: OperatorDeps, file: string, options: { json?: boolean }): Promise<void> {
  const { bytes, installations, newestInstallAt } = await rehearseRestore(deps, file);
  if (options.json) {
    return deps.output.printJson({ file, bytes, restorable: true, installations, newestInstallAt });
  }
  const { active, broken, uninstalled } = installations;
  deps.output.print(
    fieldLines([
      ['backup', file],
      ['size', sizeText(bytes)],
      ['restorable', 'yes, with the current keys'],
      ['installations', `${active} active, ${broken} broken, ${uninstalled} uninstalled`],
      ['newest install', newestInstallAt && timeText(Date.parse(newestInstallAt))],
    ]),
  );
}

/** Records the backup for the metrics. If Foyer cannot write to the database, the command still succeeds. */
async function noteBackup(deps: OperatorDeps, database: Database): Promise<void> {
  try {
    await database.write((tx) => recordBackup(tx, deps.now()));
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError)) throw error;
    deps.output.note('The database cannot be written, so the metrics do not count this backup.');
  }
}

/**
 * Rehearses a restore in a temporary folder: copies the backup, checks every page of the copy, applies this version's
 * migrations, and checks that no stored token needs a missing key. It never writes to the backup.
 * @throws CommandError, DatabaseNewerError, OwnMigrationError
 */
async function rehearseRestore(deps: OperatorDeps, file: string) {
  const config = deps.readConfig();
  const keyring = deps.loadKeyring(config);
  const { clientId } = config.slack;
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new CommandError(`There is no backup at ${file}.`);
  }
  const folder = copying(file, () => mkdtempSync(join(tmpdir(), 'foyer-rehearsal-')));
  try {
    const copy = join(folder, basename(file));
    copying(file, () => copyFileSync(file, copy));
    refuseIfDamaged(copy, file);
    const database = await deps.openDatabase({ kind: 'sqlite', file: copy });
    try {
      const { queries } = database;
      const misfit = await findKeyMisfit(queries, keyring, { now: deps.now(), everySeal: true });
      if (misfit !== undefined)
        throw new CommandError(`The backup cannot be used with these keys. ${misfit}`);
      const newest = await queries
        .selectFrom('installations')
        .select('installed_at')
        .where('client_id', '=', clientId)
        .orderBy('installed_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return {
        bytes: statSync(file).size,
        installations: await countInstallations(queries, clientId),
        /** The time of the newest install in the backup. If this backup is restored, later installs are lost. */
        newestInstallAt: newest ? isoTime(newest.installed_at) : null,
      };
    } finally {
      await database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs `work`, which creates the temporary folder or copies the backup into it. If `work` throws, throws a CommandError
 * that says what to do.
 */
function copying<T>(backup: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      `The backup ${backup} cannot be copied to ${tmpdir()} for the rehearsal: ${reason}. Run this as a user who may ` +
        'read the backup, and set TMPDIR to a folder that has room for it.',
      { cause },
    );
  }
}

/** Checks the temporary copy of a backup. If it is damaged, throws a CommandError that names the backup. */
function refuseIfDamaged(copy: string, backup: string): void {
  try {
    verifyBackup(copy);
  } catch (error) {
    if (!(error instanceof BackupDamagedError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message.replaceAll(/\s+/g, ' ') : error.message;
    throw new CommandError(
      `The backup ${backup} is damaged: ${reason}. Restore another backup instead, and make a new one: npm run foyer -- ` +
        'backup FILE. If there is no other, docs/runbook.md#a-damaged-page says how to save what can still be read.',
      { cause: error },
    );
  }
}
