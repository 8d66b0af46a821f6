import { closeSync, fsyncSync, lstatSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BackupProgress, Database } from '../database/database.ts';
import { verifyBackup } from '../database/sqlite/verify-backup.ts';
import { syncFolder } from '../database/sync-folder.ts';
import { CommandError } from './command-error.ts';

/**
 * Copies the database to a new file (mode 0600) while Foyer keeps running, verifies the copy, and returns its size in
 * bytes. Until the copy is complete and verified, the file is called `….partial`.
 * @throws CommandError if the file exists or cannot be written; BackupDamagedError, DatabaseUnavailableError
 */
export async function backupDatabase(
  database: Pick<Database, 'backup'>,
  file: string,
  onProgress?: (progress: BackupProgress) => void,
): Promise<number> {
  refuseIfThere(file);
  const partial = `${file}.partial`;
  // Create the file first, with mode 0600: SQLite would create a file that everyone can read.
  createPrivate(partial);
  try {
    await database.backup(partial, onProgress);
    verifyBackup(partial);
    syncToDisk(partial);
    refuseIfThere(file);
    renameSync(partial, file);
    syncFolder(dirname(file));
  } catch (error) {
    for (const left of [partial, `${partial}-journal`, `${partial}-wal`, `${partial}-shm`])
      rmSync(left, { force: true });
    throw isFull(error) ? noSpaceFor(file, error) : error;
  }
  return statSync(file).size;
}

function refuseIfThere(file: string): void {
  if (isThere(file)) {
    throw new CommandError(`${file} already exists, and a backup never overwrites a file. Use another name.`);
  }
}

function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // This user may not enter the folder, or a part of the path is a file.
    throw notWritable(file, error);
  }
}

function createPrivate(partial: string): void {
  try {
    closeSync(openSync(partial, 'wx', 0o600));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') {
      throw new CommandError(
        `${partial} already exists: another backup is running, or one was interrupted. If one was interrupted, remove the file.`,
      );
    }
    if (code === 'ENOENT') throw new CommandError(`There is no folder ${dirname(partial)}. Create it first.`);
    throw notWritable(partial, error);
  }
}

function notWritable(file: string, cause: unknown): CommandError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(
    `${file} cannot be written: ${reason}. Give a file in a folder that this user may write to.`,
    {
      cause,
    },
  );
}

/**
 * Returns whether an error means that the disk has no room for the copy. Such an error cannot be about the database
 * itself, because the backup only reads it. SQLite’s error may be the `cause` of the given error.
 */
function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return /^(?:SQLITE_FULL|ENOSPC|EDQUOT)$/.test(code) || isFull(error.cause);
}

function noSpaceFor(file: string, cause: unknown): CommandError {
  return new CommandError(
    `The disk of ${dirname(file)} has no room for the backup, so there is none. Free space there, or give a file on another disk.`,
    { cause },
  );
}

function syncToDisk(file: string): void {
  const handle = openSync(file, 'r+');
  fsyncSync(handle);
  closeSync(handle);
}
