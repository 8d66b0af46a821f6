import { resolve } from 'node:path';
import type { Command } from 'commander';

import { type BackupProgress, type Database, DatabaseUnavailableError } from '../../database/database.ts';
import { recordBackup } from '../../database/last-backup.ts';

import { backupDatabase } from '../backup-database.ts';
import { sizeText } from '../doctor/database-findings.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { rehearseRestore } from '../rehearse-restore.ts';
import { fieldLines } from '../terminal/table.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

/** `backup FILE`: makes a verified copy of the database while Foyer keeps running. */
export function backupCommand(deps: OperatorDeps): Command {
  return operatorCommand('backup', {
    summary: 'copy the database to a new file, and verify the copy',
    description:
      'Copies the database to a new file (mode 0600; it never overwrites one) while Foyer keeps running, then opens the ' +
      'copy and checks every page of it. The tokens in it stay encrypted, and the keys are not in it: keep ' +
      'TOKEN_ENCRYPTION_KEYS, or the key file next to the database, in another safe place. A Postgres database is ' +
      'written to a SQLite file from a single snapshot and compared row by row. Foyer can start on that file, and ' +
      'copy --to brings it back to Postgres.',
    examples: [
      ['backup /var/backups/foyer-2026-11-22.db', 'before an upgrade'],
      ['backup --verify /var/backups/foyer-2026-11-22.db', 'could it be restored, and what is in it?'],
    ],
  })
    .argument('<file>', 'the file to create')
    .option(
      '--verify',
      'rehearse a restore of an existing backup instead: into a temporary copy, with the current migrations and keys',
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
        deps.output.note('The encryption keys are not in it: keep them in another safe place.');
      });
    });
}

async function verify(deps: OperatorDeps, file: string, options: { json?: boolean }): Promise<void> {
  const config = deps.readConfig();
  const restored = await rehearseRestore(file, {
    open: deps.openDatabase,
    keyring: deps.loadKeyring(config),
    clientId: config.slack.clientId,
    now: deps.now(),
  });
  const { bytes, installations, newestInstallAt } = restored;
  const newest = newestInstallAt === null ? null : new Date(newestInstallAt).toISOString();
  if (options.json) {
    return deps.output.printJson({ file, bytes, restorable: true, installations, newestInstallAt: newest });
  }
  const { active, broken, uninstalled } = installations;
  deps.output.print(
    fieldLines([
      ['backup', file],
      ['bytes', String(bytes)],
      ['restorable', 'yes, with the keys of today'],
      ['installations', `${active} active, ${broken} broken, ${uninstalled} uninstalled`],
      ['newest install', newest],
    ]),
  );
}

/** Records the backup. If the database cannot record it, the command has still done its work. */
async function noteBackup(deps: OperatorDeps, database: Database): Promise<void> {
  try {
    await database.write((tx) => recordBackup(tx, deps.now()));
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError)) throw error;
    deps.output.note('The database cannot be written, so the metrics do not count this backup.');
  }
}
