import { closeSync, existsSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { copyMarkTable } from '../copy/copy-mark.ts';
import { DatabaseUnavailableError, type Queries } from '../database.ts';
import { compareMigrations, foyerLedgerTable, judgeOwner, ownLedgerTable } from '../migrate.ts';
import type { Tables } from '../records.ts';
import { findUnwritable, type UnwritablePath } from './find-unwritable.ts';
import { foyerSqliteDialect } from './sqlite-file.ts';

/** The state of a database file before Foyer opens it. */
export interface SqliteInspection {
  bytes: number;
  /** The size of the write-ahead log. SQLite cannot shrink the log while a reader blocks checkpoints. */
  walBytes: number;
  /** Whether there is a log without its index, for example because only one of the two files was moved. */
  isLogWithoutIndex: boolean;
  /** The free space that this user can use on the file's disk. */
  freeBytes: number;
  /** Whether the file's disk has reached its limit of files; false if the file system has no such limit. */
  hasNoFileLeft: boolean;
  /** The result of `quick_check`: `ok`, or its first finding and the name of the table or index that it concerns. */
  integrity: string;
  /** The paths that Foyer must write to, but cannot write to as this user. */
  unwritable: UnwritablePath[];
  /** Whether Foyer's tables do not exist yet. */
  isEmpty: boolean;
  /** Whether another program's tables have the names that Foyer's tables need. */
  isOfAnother: boolean;
  /** Whether the file holds an unfinished copy. */
  isUnfinishedCopy: boolean;
  /** Migrations that this code contains, but that were not applied to the database. */
  missingMigrations: string[];
  /**
   * Migrations that were applied to the database, but that this code does not contain: those of a newer Foyer, or app
   * migrations that are not in the app's definition.
   */
  unknownMigrations: string[];
}

/**
 * Inspects an existing database file. Changes neither the file nor anything next to it. Blocks the process while it
 * reads every page. `own` are the names of the app's own migrations. Throws SQLite's error if the file cannot be opened
 * or is not a database; also throws the file system's errors.
 */
export function inspectSqlite(file: string, own: readonly string[] = []): SqliteInspection {
  const { bavail, bsize, files, ffree } = statfsSync(dirname(file));
  const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size;
  const bytes = sizeOf(file) ?? 0;
  const walBytes = sizeOf(`${file}-wal`) ?? 0;
  const isLogWithoutIndex = walBytes > 0 && sizeOf(`${file}-shm`) === undefined;
  const sqlite = openUntouched(file);
  try {
    const inFoyerLedger = namesIn(sqlite, foyerLedgerTable);
    return {
      ...{ bytes, walBytes, isLogWithoutIndex },
      freeBytes: bavail * bsize,
      hasNoFileLeft: files > 0 && ffree === 0,
      integrity: checkIntegrity(sqlite),
      unwritable: findUnwritable(file),
      isUnfinishedCopy: hasTable(sqlite, copyMarkTable),
      ...judgeOwner({ hasInstallations: hasTable(sqlite, 'installations'), inFoyerLedger }, own),
      ...compareMigrations(inFoyerLedger, namesIn(sqlite, ownLedgerTable), own),
    };
  } finally {
    sqlite.close();
  }
}

/** Runs `quick_check`, and adds the name of a damaged table or index: SQLite gives only the number of its root page. */
function checkIntegrity(sqlite: DatabaseSync): string {
  const finding = String(firstColumn(sqlite, 'pragma quick_check(1)')[0]);
  const rootPage = /\bTree (\d+)\b/.exec(finding)?.[1];
  if (rootPage === undefined) return finding;
  const name =
    "case type when 'table' then 'the table ' || name else 'the index ' || name || ' of ' || tbl_name end";
  const [damaged] = firstColumn(sqlite, `select ${name} from sqlite_master where rootpage = ${rootPage}`);
  return damaged === undefined ? finding : `${finding} (${damaged})`;
}

/**
 * Opens a database file to read it, and leaves no trace: creates no file, changes no byte, and holds no lock that a
 * writer waits for.
 *
 * This function uses Node's SQLite, because better-sqlite3 does not accept URLs as names of databases. In WAL mode, a
 * reader normally creates or repairs the log and its index. If the reader may not delete these two files afterward,
 * they remain, and belong to the user who ran the reader. Two URL parameters prevent this. With `readonly_shm`, SQLite
 * reads an existing index without changing it, and rebuilds it in memory if no process has the database open. With
 * `immutable`, SQLite reads a database without an index, and creates none. (sqlite.org/uri.html,
 * sqlite.org/wal.html#read_only_databases)
 *
 * Do not call this function in a process that has the file open with better-sqlite3 while other processes use the file:
 * when the file opened here is closed, the process also loses the locks of better-sqlite3 (man 2 fcntl).
 */
function openUntouched(file: string): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set('mode', 'ro');
  if (existsSync(`${file}-shm`)) url.searchParams.set('readonly_shm', '1');
  else if (isInWalMode(file)) url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true, timeout: 500 });
}

/**
 * Byte 19 of the file shows which journal SQLite needs to read the file: 2 is the write-ahead log.
 * (sqlite.org/fileformat.html)
 */
function isInWalMode(file: string): boolean {
  const header = Buffer.alloc(20);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, header, 0, header.length, 0);
  } finally {
    closeSync(handle);
  }
  return header[19] === 2;
}

/**
 * Opens a database file for queries. Changes neither the file nor anything next to it. Close the database when done.
 */
export function readUntouched(file: string): { queries: Queries; close(): Promise<void> } {
  const sqlite = openUntouched(file);
  const queries = new Kysely<Tables>({
    dialect: foyerSqliteDialect({
      close: () => sqlite.close(),
      isInTransaction: () => false,
      prepare(text) {
        const statement = sqlite.prepare(text);
        const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
        return {
          reader: true,
          all: (parameters) => statement.all(...values(parameters)),
          iterate: (parameters) => statement.iterate(...values(parameters)),
          run: (parameters) => {
            const { changes, lastInsertRowid } = statement.run(...values(parameters));
            return { changes: Number(changes), lastInsertRowid };
          },
        };
      },
    }),
  });
  return { queries, close: () => queries.destroy() };
}

function namesIn(sqlite: DatabaseSync, table: string): string[] {
  return hasTable(sqlite, table) ? firstColumn(sqlite, `select name from ${table} order by name`) : [];
}

function firstColumn(sqlite: DatabaseSync, text: string): string[] {
  return sqlite
    .prepare(text)
    .all()
    .map((row) => String(Object.values(row)[0]));
}

function hasTable(sqlite: DatabaseSync, name: string): boolean {
  const found = sqlite.prepare("select 1 from sqlite_master where type = 'table' and name = ?").get(name);
  return found !== undefined;
}

/**
 * Runs `work` on a database file without writing to it, even if the file is not Foyer's. Returns undefined if the file
 * does not exist or is empty.
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
 * Whether any process on this machine, including this one, has the database file open. In WAL mode, such a process
 * holds a shared lock on the file, so SQLite refuses an exclusive lock.
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

/** The version of the SQLite that Foyer writes with. Node has its own SQLite, which Foyer uses only to read. */
export function sqliteVersion(): string {
  const sqlite = new Sqlite(':memory:');
  try {
    return String(sqlite.prepare('select sqlite_version()').pluck().get());
  } finally {
    sqlite.close();
  }
}
