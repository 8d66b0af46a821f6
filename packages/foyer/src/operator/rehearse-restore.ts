import { copyFileSync, lstatSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Database } from '../database/database.ts';
import type { InstallationStatus } from '../database/records.ts';
import { verifyBackup } from '../database/sqlite/verify-backup.ts';
import type { Keyring } from '../installations/keyring.ts';
import { findKeyMisfit } from '../installations/verify-keyring.ts';
import { CommandError } from './command-error.ts';
import { countInstallations } from './installation-lists.ts';

/** What a restore of the backup would bring back. */
interface RehearsedRestore {
  bytes: number;
  installations: Record<InstallationStatus, number>;
  /** The time of its newest install, in milliseconds since 1970: later installs are not in it. */
  newestInstallAt: number | null;
}

/**
 * Restores a backup into a copy in the folder for temporary files, as a start would: checks every page, applies this
 * version's migrations, and checks every stored token against the keys. It only reads the backup itself.
 * @throws CommandError, BackupDamagedError, DatabaseNewerError, OwnMigrationError
 */
export async function rehearseRestore(
  file: string,
  deps: {
    open: (target: { kind: 'sqlite'; file: string }) => Promise<Database>;
    keyring: Keyring;
    clientId: string;
    now: number;
  },
): Promise<RehearsedRestore> {
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new CommandError(`There is no backup at ${file}.`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'foyer-rehearsal-'));
  try {
    const copy = join(folder, basename(file));
    copyFileSync(file, copy);
    verifyBackup(copy);
    const database = await deps.open({ kind: 'sqlite', file: copy });
    try {
      const { queries } = database;
      const misfit = await findKeyMisfit(queries, deps.keyring, { now: deps.now, everySeal: true });
      if (misfit !== undefined)
        throw new CommandError(`The backup cannot be used with these keys. ${misfit}`);
      const newest = await queries
        .selectFrom('installations')
        .select('installed_at')
        .where('client_id', '=', deps.clientId)
        .orderBy('installed_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return {
        bytes: statSync(file).size,
        installations: await countInstallations(queries, deps.clientId),
        newestInstallAt: newest?.installed_at ?? null,
      };
    } finally {
      await database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
