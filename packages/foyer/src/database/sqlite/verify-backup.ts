import Sqlite from 'better-sqlite3';

/** Thrown if a backup is damaged, or differs from the database that it was made from. */
export class BackupDamagedError extends Error {
  override readonly name = 'BackupDamagedError';
  readonly code = 'backup_damaged';
}

/**
 * Opens a copy, turns it into one file without a WAL, and checks three things: every page, every foreign key, and that
 * the table `installations` exists.
 * @throws BackupDamagedError
 */
export function verifyBackup(file: string): void {
  let sqlite: Sqlite.Database | undefined;
  try {
    sqlite = new Sqlite(file, { fileMustExist: true });
    sqlite.pragma('journal_mode = DELETE');
    const verdict = sqlite.pragma('integrity_check', { simple: true });
    if (verdict !== 'ok') throw new Error(`integrity_check says: ${String(verdict)}`);
    const broken = sqlite.pragma('foreign_key_check');
    if (Array.isArray(broken) && broken.length > 0) throw new Error('foreign_key_check found orphaned rows');
    sqlite.prepare('select count(*) from installations').get();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackupDamagedError(`The copy ${file} is damaged: ${reason}`, { cause });
  } finally {
    sqlite?.close();
  }
}
