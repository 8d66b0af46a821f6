import { statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

/**
 * Whether somebody has the database file open, in this process or another one on this machine. Whoever uses it holds a
 * shared lock on it for as long as it is open (WAL), so that the exclusive lock is refused.
 * https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory
 */
export function isSqliteInUse(file: string): boolean {
  if (!statSync(file, { throwIfNoEntry: false })?.size) return false;
  const sqlite = new Sqlite(file, { fileMustExist: true, timeout: 500 });
  try {
    sqlite.pragma('locking_mode = EXCLUSIVE');
    sqlite.exec('begin exclusive; rollback');
    return false;
  } catch (error) {
    if (error instanceof Sqlite.SqliteError && /^SQLITE_(?:BUSY|LOCKED)/.test(error.code)) return true;
    throw error;
  } finally {
    sqlite.close();
  }
}
