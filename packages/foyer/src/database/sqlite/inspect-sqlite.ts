import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { copyMarkTable } from '../copy/copy-mark.ts';
import { DatabaseUnavailableError, type Queries } from '../database.ts';
import { migrationNames } from '../migrate.ts';
import type { Tables } from '../records.ts';

/** A database file as it stands, before anybody opens it to work with it. */
export interface SqliteInspection {
  bytes: number;
  /** Of the write-ahead log beside it: it shrinks when a checkpoint finds no reader in the way. */
  walBytes: number;
  /** Free on its disk for us. */
  freeBytes: number;
  /** What `quick_check` says: `ok`, or its first finding. */
  integrity: string;
  /** Why it cannot be written: SQLite's code, such as `SQLITE_BUSY` while another process writes; null where it can. */
  writeRefusal: string | null;
  /** Whether it holds half of a copy. */
  isUnfinishedCopy: boolean;
  /** Migrations that this code has and the database has not. */
  missingMigrations: string[];
  /** Migrations that a newer Foyer has made. */
  unknownMigrations: string[];
}

/**
 * Looks at a database file that is there, without changing it. Blocks while it reads every page.
 * Throws SQLite's errors where it cannot be opened or is no database, and the file system's.
 */
export function inspectSqlite(file: string): SqliteInspection {
  const sqlite = new Sqlite(file, { fileMustExist: true, timeout: 500 });
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    const applied = appliedMigrations(sqlite);
    return {
      bytes: statSync(file).size,
      walBytes: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      freeBytes: bavail * bsize,
      integrity: String(sqlite.pragma('quick_check(1)', { simple: true })),
      writeRefusal: writeRefusal(sqlite),
      isUnfinishedCopy: hasTable(sqlite, copyMarkTable),
      missingMigrations: migrationNames.filter((name) => !applied.includes(name)),
      unknownMigrations: applied.filter((name) => !migrationNames.includes(name)),
    };
  } finally {
    sqlite.close();
  }
}

function appliedMigrations(sqlite: Sqlite.Database): string[] {
  if (!hasTable(sqlite, 'kysely_migration')) return [];
  return sqlite.prepare('select name from kysely_migration order by name').pluck().all().map(String);
}

function hasTable(sqlite: Sqlite.Database, name: string): boolean {
  return (
    sqlite.prepare("select 1 from sqlite_master where type = 'table' and name = ?").get(name) !== undefined
  );
}

/** Takes the write lock and gives it back: nothing is written. */
function writeRefusal(sqlite: Sqlite.Database): string | null {
  try {
    sqlite.exec('begin immediate');
    sqlite.exec('rollback');
    return null;
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) return error.code;
    throw error;
  }
}

/**
 * Runs `work` on a database file as it stands, whatever it holds: it is only read. Undefined where there is none, or an
 * empty file.
 * @throws DatabaseUnavailableError
 */
export async function peekSqlite<T>(
  file: string,
  work: (queries: Queries) => Promise<T>,
): Promise<T | undefined> {
  if (!statSync(file, { throwIfNoEntry: false })?.size) return undefined;
  try {
    const database = new Sqlite(file, { readonly: true, fileMustExist: true });
    const queries = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
    try {
      return await work(queries);
    } finally {
      await queries.destroy();
    }
  } catch (cause) {
    if (!(cause instanceof Sqlite.SqliteError)) throw cause;
    throw new DatabaseUnavailableError(`The database ${file} cannot be used: ${cause.message}`, { cause });
  }
}

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
