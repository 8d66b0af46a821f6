import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type QueryId,
  type RootOperationNode,
  type SelectModifierNode,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  SqliteQueryCompiler,
} from 'kysely';
import { DatabaseUnavailableError } from '../database.ts';
import { makeFolder } from '../make-folder.ts';
import { makePrivate } from '../make-private.ts';
import { isAppQuery } from '../prepared-query.ts';
import { syncFolder } from '../sync-folder.ts';

/** Kysely's query compiler for SQLite, with two changes. */
class FoyerCompiler extends SqliteQueryCompiler {
  /** Drops `FOR UPDATE` and similar clauses: SQLite runs write transactions one at a time. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === 'Distinct') super.visitSelectModifier(node);
  }

  /**
   * The unary `+` hides a value from SQLite's planner. Without the `+`, SQLite would recompile some queries (those with
   * an order, a limit or a join) whenever they run, and an install would take a sixth more CPU. But SQLite cannot use a
   * partial index for a hidden value, so where a query needs such an index, Foyer writes the value as a literal
   * (`sql.lit`). The app's own queries get no `+`, so they need no literals. (sqlite.org/c3ref/prepare.html, "influence
   * the choice of query plan")
   */
  protected override getCurrentParameterPlaceholder(): string {
    return this.#isOfApp ? '?' : '+?';
  }

  #isOfApp = false;

  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    this.#isOfApp = isAppQuery(node);
    return super.compileQuery(node, queryId);
  }
}

/**
 * Kysely's SQLite dialect with `FoyerCompiler` and two more changes:
 * - A transaction takes the write lock when it begins. If it took the lock later, it could fail halfway.
 * - All migrations run in one transaction, which Kysely's own adapter does not allow. Otherwise, two processes that
 *   start at the same time would both create the tables, and a crash would leave half of them.
 */
export function foyerSqliteDialect(database: SqliteDatabase & { isInTransaction(): boolean }): SqliteDialect {
  const createDriver = () =>
    Object.assign(new SqliteDriver({ database }), {
      async beginTransaction(connection: { executeQuery(query: CompiledQuery): Promise<unknown> }) {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'));
      },
      async rollbackTransaction(connection: { executeQuery(query: CompiledQuery): Promise<unknown> }) {
        // If the disk is full, SQLite has already rolled back. A second rollback would fail and hide the first error.
        if (database.isInTransaction()) await connection.executeQuery(CompiledQuery.raw('rollback'));
      },
    });
  const createAdapter = () =>
    Object.defineProperty(new SqliteAdapter(), 'supportsTransactionalDdl', { value: true });
  const createQueryCompiler = () => new FoyerCompiler();
  return Object.assign(new SqliteDialect({ database }), { createDriver, createAdapter, createQueryCompiler });
}

/** Whether SQLite reports that another connection is writing. */
const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(sqliteCode(error));

/** Whether SQLite refused a statement because of the state of the database, not because of the statement. */
const isUnavailable = (error: unknown): boolean =>
  /^SQLITE_(BUSY|LOCKED|READONLY|IOERR|FULL|CANTOPEN|CORRUPT|NOTADB|PERM|AUTH|PROTOCOL)/.test(
    sqliteCode(error),
  ) ||
  (error instanceof TypeError && /database connection is not open/.test(error.message));

/**
 * Whether this process must not use the database after this error: the disk failed, or locks do not work. On
 * SQLITE_PROTOCOL, SQLite has already tried for ten seconds to get a lock and blocked the event loop, so do not retry.
 */
const isFatal = (error: unknown): boolean =>
  /^SQLITE_(IOERR(?!_SHORT_READ|_LOCK|_BLOCKED|_NOMEM)|PROTOCOL)/.test(sqliteCode(error));

/**
 * Whether SQLite reports a damaged page or file. Usually the disk lost a page, or another program wrote to the file.
 */
const isDamage = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error));

/** The code of an error, such as `SQLITE_BUSY`; empty if it has none. */
export function sqliteCode(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}

/** What to do about a damaged database file. */
export const damagedFix =
  'Stop Foyer and keep the file. Save what can be read, or restore the newest backup: docs/runbook.md#a-damaged-page shows which of the two loses less.';

/** What to do about a file that SQLite cannot read at all: it is damaged, or never was a database. */
export const notADatabaseFix = `If this is the wrong file, name the right one. If it is Foyer’s database, it is damaged. ${damagedFix}`;

/** Makes an error that says that Foyer cannot use a database file, and why. */
export function unavailable(error: unknown, file: string): DatabaseUnavailableError {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `The database ${file} cannot be used: ${reason}${sqliteCode(error) && ` (${sqliteCode(error)})`}`;
  return new DatabaseUnavailableError(message, { cause: error });
}

/** Makes the error for a database file that cannot be opened. The error also says what to do. */
function unopened(error: unknown, file: string): DatabaseUnavailableError {
  const { message } = unavailable(error, file);
  if (isDamage(error)) {
    const fix = /^SQLITE_NOTADB/.test(sqliteCode(error)) ? notADatabaseFix : damagedFix;
    return new DatabaseUnavailableError(`${message}. ${fix}`, { cause: error });
  }
  // The message does not name DATABASE_URL: the file may be the target of a copy.
  const fix =
    'it must be a file that only Foyer uses and that this user can write, on a disk with free space';
  return new DatabaseUnavailableError(`${message}; ${fix}`, { cause: error });
}

const noFoyerTables = (file: string): string =>
  `The database ${file} contains no Foyer tables. Start Foyer once (npm start) to create them, or check DATABASE_URL.`;

/**
 * Opens a database file; creates it (mode 0600) and its folder if needed. Fails without changing the file if the file
 * is not a database or, with `mustBeFoyers`, if it does not contain Foyer's tables. Calls `warn` with messages for the
 * operator, and `onCreated` if the file was missing or empty.
 * @throws DatabaseUnavailableError
 */
export function openSqliteFile(
  file: string,
  {
    mustBeFoyers = false,
    warn,
    onCreated,
  }: { mustBeFoyers?: boolean; warn?(text: string): void; onCreated?(file: string): void } = {},
): Sqlite.Database {
  let sqlite: Sqlite.Database | undefined;
  try {
    makeFolder(dirname(file));
    // Opening a pipe would wait forever for its other end.
    const found = statSync(file, { throwIfNoEntry: false });
    if (found && !found.isFile()) throw new Error('it is not a regular file');
    // Without this check, SQLite would open a file that this user has no right to write, and fail only at the first
    // write.
    if (found) accessSync(file, constants.R_OK | constants.W_OK);
    // Foyer creates a missing file itself: SQLite would make the file readable for everyone. SQLite gives the WAL the
    // same mode as the file. Foyer does not open an existing file here, because it would have to close the file again.
    // That would drop the locks that another connection of this process holds on the file.
    else closeSync(openSync(file, 'a', 0o600));
    const files = [file, `${file}-wal`, `${file}-shm`];
    const before = files.filter((each) => existsSync(each));
    sqlite = new Sqlite(file, { timeout: 5000 });
    // This read fails if the file is not a database. No line above has changed an existing file.
    const isFoyers = sqlite.prepare("select 1 from sqlite_master where name = 'installations'").get();
    if (mustBeFoyers && !isFoyers) throw new DatabaseUnavailableError(noFoyerTables(file));
    for (const each of files) {
      if (makePrivate(each) && before.includes(each))
        warn?.(
          `Other users of this machine could read ${each}. Foyer has made it readable by its owner only.`,
        );
    }
    syncFolder(dirname(file));
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    // One checkpoint costs as much as many commits, so SQLite runs one after every 32 MB of log, not after every 4 MB.
    sqlite.pragma('wal_autocheckpoint = 8000');
    sqlite.pragma('secure_delete = ON');
    sqlite.pragma('foreign_keys = ON');
    if (!found || found.size === 0) onCreated?.(file);
    return sqlite;
  } catch (error) {
    sqlite?.close();
    throw error instanceof DatabaseUnavailableError ? error : unopened(error, file);
  }
}

/**
 * Wraps an open file in the interface that Kysely needs from a database. Keeps the first 500 different statements
 * compiled. If a statement fails because of the state of the database, throws a DatabaseUnavailableError.
 */
export function createStatements(
  sqlite: Sqlite.Database,
  file: string,
  fatal: {
    report(error: DatabaseUnavailableError): void;
    reportDamage(): void;
    locksFailed(): DatabaseUnavailableError | undefined;
  },
) {
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  const reporting = <T>(run: () => T): T => {
    const locksFailed = fatal.locksFailed();
    if (locksFailed) throw locksFailed;
    try {
      return run();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      const refusal = unavailable(error, file);
      if (isDamage(error)) fatal.reportDamage();
      if (isFatal(error)) fatal.report(refusal);
      throw refusal;
    }
  };
  function prepare(sql: string) {
    const statement = reporting(() => sqlite.prepare(sql));
    return {
      reader: statement.reader,
      all: (parameters: readonly unknown[]) => reporting(() => statement.all(parameters)),
      get: (parameters: readonly unknown[]) => reporting(() => statement.get(parameters)),
      run: (parameters: readonly unknown[]) => reporting(() => statement.run(parameters)),
      iterate: (parameters: readonly unknown[]) =>
        reporting(() => statement.iterate(parameters) as IterableIterator<unknown>),
    };
  }
  return {
    close(): void {
      sqlite.close();
    },
    isInTransaction: () => sqlite.inTransaction,
    prepare(sql: string) {
      const known = prepared.get(sql);
      if (known) return known;
      const statement = prepare(sql);
      if (prepared.size < 500) prepared.set(sql, statement);
      return statement;
    },
  };
}

/** Whether a transaction failed only because another process was writing. */
export function isLocked(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError && isBusy(error.cause);
}
