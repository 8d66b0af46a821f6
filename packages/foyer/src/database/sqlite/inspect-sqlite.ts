import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { copyMarkTable } from '../copy/copy-mark.ts';
import { DatabaseUnavailableError, type Queries } from '../database.ts';
import { migrationNames } from '../migrate.ts';
import type { Tables } from '../records.ts';

/** The state of a database file before Foyer opens it. */
export interface SqliteInspection {
  bytes: number;
  /** The size of the write-ahead log; it shrinks when a checkpoint finds no reader in the way. */
  walBytes: number;
  /** Space on its disk that this user can use. */
  freeBytes: number;
  /** The result of `quick_check`: `ok`, or its first finding. */
  integrity: string;
  /** Why it cannot be written: SQLite's code, such as `SQLITE_BUSY` while another process writes; null if it can. */
  writeRefusal: string | null;
  /** Whether it holds an unfinished copy. */
  isUnfinishedCopy: boolean;
  /** Migrations that this code has and the database does not. */
  missingMigrations: string[];
  /** Migrations that a newer Foyer applied. */
  unknownMigrations: string[];
}

/**
 * Inspects an existing database file without changing it. Blocks while it reads every page.
 * Throws SQLite's errors if it cannot be opened or is not a database, and the file system's.
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

/** Takes the write lock and releases it: nothing is written. */
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
 * Runs `work` on a database file as it is, Foyer's or not, without writing. Returns undefined if there is no file, or
 * an empty one.
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
 * Whether any process on this machine, this one included, has the database file open. Each holds a shared lock on it as
 * long as it is open (WAL), so that the exclusive lock is refused.
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
