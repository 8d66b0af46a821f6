import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { Kysely } from 'kysely';
import { type Database, DatabaseUnavailableError } from '../database.ts';
import { makeFolder } from '../make-folder.ts';
import { makePrivate } from '../make-private.ts';
import { migrate, type OwnMigrations } from '../migrate.ts';
import { compileQuery } from '../prepared-query.ts';
import type { Tables } from '../records.ts';
import { syncFolder } from '../sync-folder.ts';
import { createCommits, type LogOnDisk, openLogOnDisk } from './commit-together.ts';
import { createDiskProbe } from './probe-disk.ts';
import { foyerSqliteDialect } from './sqlite-dialect.ts';
import { type FileWatch, watchFiles } from './watch-files.ts';

/**
 * Why a busy_timeout of a few milliseconds: SQLite waits inside the process, and while it waits no page and no health
 * check is answered. `write` waits outside instead, between whole tries of its transaction.
 */
const busyTimeoutMs = 20;
const retryDelayMs = 25;
/** How long another process may take to bring the database up to date before this one gives up on its start. */
const openingPatienceMs = 15_000;

/** SQLite's own word for "someone else is writing". */
const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

/** The engine's refusals that no retry of the same statement fixes. */
const isUnavailable = (error: unknown): boolean =>
  /^SQLITE_(BUSY|LOCKED|READONLY|IOERR|FULL|CANTOPEN|CORRUPT|NOTADB|PERM|AUTH|PROTOCOL)/.test(
    codeOf(error),
  ) ||
  (error instanceof TypeError && /database connection is not open/.test(error.message));

/**
 * What ends the use of the database by this process: the disk failed, or locks do not work. SQLITE_PROTOCOL comes after
 * ten seconds in which SQLite has tried to get a lock and blocked the event loop: it must not be tried again.
 */
const isFatal = (error: unknown): boolean =>
  /^SQLITE_(IOERR(?!_SHORT_READ|_LOCK|_BLOCKED|_NOMEM)|PROTOCOL)/.test(codeOf(error));

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}

function unavailable(error: unknown, file: string): DatabaseUnavailableError {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `The database ${file} cannot be used: ${reason}${codeOf(error) && ` (${codeOf(error)})`}`;
  return new DatabaseUnavailableError(message, { cause: error });
}

function openFile(file: string, warn?: (text: string) => void): Sqlite.Database {
  try {
    makeFolder(dirname(file));
    // Opening a pipe would wait for its other end, and never end itself.
    const found = statSync(file, { throwIfNoEntry: false });
    if (found && !found.isFile()) throw new Error('it is a folder or a device');
    // SQLite would open a file that it may not write, too, and say so late.
    if (found) accessSync(file, constants.R_OK | constants.W_OK);
    // Made by us first, since SQLite would make it readable for everyone; its WAL takes over the same mode. One that is
    // there is not opened here: to close it would take away the locks that another connection of this process holds.
    else closeSync(openSync(file, 'a', 0o600));
    for (const each of [file, `${file}-wal`, `${file}-shm`]) {
      if (makePrivate(each))
        warn?.(`Other users of this machine could reach ${each}. It is its owner's alone from now on.`);
    }
    syncFolder(dirname(file));
    const sqlite = new Sqlite(file, { timeout: 5000 });
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    // A checkpoint costs as much as many commits: one for each 32 MB of log, not for each 4.
    sqlite.pragma('wal_autocheckpoint = 8000');
    sqlite.pragma('secure_delete = ON');
    sqlite.pragma('foreign_keys = ON');
    return sqlite;
  } catch (error) {
    // Without naming a variable: it may be the target of a copy.
    const fix = 'it has to be a file of Foyer’s own that this user may write, with room beside it';
    throw new DatabaseUnavailableError(`${unavailable(error, file).message}; ${fix}`, { cause: error });
  }
}

/**
 * What Kysely runs its statements on: the open file, with each statement compiled once and each refusal of the engine
 * told as a DatabaseUnavailableError.
 */
function createStatements(
  sqlite: Sqlite.Database,
  file: string,
  fatal: {
    report(error: DatabaseUnavailableError): void;
    locksFailed(): DatabaseUnavailableError | undefined;
  },
) {
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  const told = <T>(run: () => T): T => {
    const locksFailed = fatal.locksFailed();
    if (locksFailed) throw locksFailed;
    try {
      return run();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      const refusal = unavailable(error, file);
      if (isFatal(error)) fatal.report(refusal);
      throw refusal;
    }
  };
  function prepare(sql: string) {
    const statement = told(() => sqlite.prepare(sql));
    return {
      reader: statement.reader,
      all: (parameters: readonly unknown[]) => told(() => statement.all(parameters)),
      get: (parameters: readonly unknown[]) => told(() => statement.get(parameters)),
      run: (parameters: readonly unknown[]) => told(() => statement.run(parameters)),
      iterate: (parameters: readonly unknown[]) =>
        told(() => statement.iterate(parameters) as IterableIterator<unknown>),
    };
  }
  return {
    close: () => sqlite.close(),
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

function isLocked(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError && isBusy(error.cause);
}

/** Asks again while the database is locked, until the patience ends; whatever else happens is the caller's. */
async function untilUnlocked<T>(work: () => Promise<T>, patienceMs: number): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isLocked(error) || performance.now() > giveUpAt) throw error;
      await sleep(retryDelayMs * (0.5 + Math.random()));
    }
  }
}

/**
 * Opens a SQLite database, makes the file (mode 0600) and its folder if needed, and brings it up to date. `warn` is
 * called with what the operator should know.
 * @throws DatabaseUnavailableError, DatabaseNewerError, OwnMigrationError
 */
export async function openSqlite(
  file: string,
  { migrations, warn }: { migrations?: OwnMigrations; warn?(text: string): void } = {},
): Promise<Database> {
  const sqlite = openFile(file, warn);
  const { promise: failed, resolve: reportFailure } = Promise.withResolvers<DatabaseUnavailableError>();
  let failure: DatabaseUnavailableError | undefined;
  let rescued: Promise<void> | undefined;
  let isClosed = false;
  const fail = (error: DatabaseUnavailableError): void => {
    if (failure || isClosed) return;
    failure = error;
    rescued = rescueLog().finally(() => reportFailure(error));
  };
  /** A log that only lost its name can still be read here: what it holds goes into the database file, and nothing is lost. */
  async function rescueLog(): Promise<void> {
    if (!watch?.isLogUnlinked()) return;
    await queries
      .connection()
      .execute(async () => sqlite.pragma('wal_checkpoint(FULL)'))
      .catch((error) => warn?.(`The log of ${file} could not be saved: ${error}`));
  }
  const fatal = {
    report: fail,
    locksFailed: () => (/^SQLITE_PROTOCOL/.test(codeOf(failure?.cause)) ? failure : undefined),
  };
  const statements = createStatements(sqlite, file, fatal);
  const queries = new Kysely<Tables>({ dialect: foyerSqliteDialect(statements) });
  sqlite.pragma(`busy_timeout = ${busyTimeoutMs}`);
  let log: LogOnDisk;
  let watch: FileWatch | undefined;
  let looker: Sqlite.Database;
  try {
    await untilUnlocked(() => migrate(queries, migrations), openingPatienceMs);
    log = await openLogOnDisk(file);
    looker = new Sqlite(file, { readonly: true, timeout: busyTimeoutMs });
    watch = watchFiles(file, looker);
    sqlite.pragma('synchronous = NORMAL');
  } catch (error) {
    await queries.destroy();
    throw error;
  }
  // Beside the other, on which a transaction may be under way: what that has written is not committed yet.
  const reader = createStatements(looker, file, fatal);
  const dataVersion = reader.prepare('pragma data_version');
  // Asked once in a turn of the event loop, since it locks and unlocks the file (of an event's work it was a twelfth): what
  // another process commits meanwhile cannot have been told to anybody here. Our own commits are seen at once.
  let mark: number | undefined;
  const forgetMark = (): void => {
    mark = undefined;
  };
  const commit = createCommits({
    async transact(work) {
      assertSound();
      let isWorkDone = false;
      try {
        const value = await queries
          .transaction()
          .execute(async (tx) => {
            const made = await work(tx);
            isWorkDone = true;
            return made;
          })
          .finally(forgetMark);
        await log.sync();
        assertSound();
        return value;
      } catch (error) {
        if (!(error instanceof DatabaseUnavailableError)) throw error;
        // A commit that failed on its way to the disk may be found there after a restart; any other was rolled back.
        const mayBeCommitted = isWorkDone && (error.mayBeCommitted || failure !== undefined);
        if (error.mayBeCommitted) fail(error);
        throw mayBeCommitted
          ? new DatabaseUnavailableError(error.message, { cause: error.cause, mayBeCommitted })
          : error;
      }
    },
    isLocked,
  });
  /** @throws DatabaseUnavailableError if this process must not use the database anymore */
  function assertSound(): void {
    if (failure) throw failure;
    // What a closed one is asked is refused by its statements; its files are no longer ours.
    if (isClosed) return;
    try {
      watch?.assertInPlace();
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) fail(error);
      throw error;
    }
  }

  /** Once a second, also if no one writes. */
  function look(): void {
    try {
      assertSound();
    } catch {
      clearInterval(looking);
    }
  }
  const looking = setInterval(look, 1000).unref();
  const probeDisk = createDiskProbe(file);

  const versionOf = (row: unknown): number => (row as { data_version: number }).data_version;

  return {
    queries,
    write: (work, patienceMs = 2000) => commit(work, patienceMs),
    prepare(build) {
      const { compiled, valuesOf } = compileQuery(queries, build);
      const statement = reader.prepare(compiled.sql);
      return async (values) => statement.get(valuesOf(values)) as never;
    },
    prepareList(build) {
      const { compiled, valuesOf } = compileQuery(queries, build);
      const statement = reader.prepare(compiled.sql);
      return async (values) => statement.all(valuesOf(values)) as never;
    },
    changeMark() {
      if (mark !== undefined) return mark;
      setImmediate(forgetMark);
      mark = versionOf(dataVersion.get([]));
      return mark;
    },
    async ping() {
      assertSound();
      try {
        await queries.selectFrom('encryption_keys').select('id').limit(1).execute();
        await probeDisk();
      } catch (error) {
        // Also a schema that is not ours: nothing can be served from it.
        throw error instanceof DatabaseUnavailableError ? error : unavailable(error, file);
      }
    },
    failed,
    failure: () => failure,
    async scrub() {
      // In its turn on the connection, since SQLite refuses a checkpoint within a transaction. Busy readers make it do
      // less, which is no fault: the next checkpoint does the rest.
      await queries.connection().execute(async () => sqlite.pragma('wal_checkpoint(TRUNCATE)'));
    },
    async backup(target) {
      await sqlite.backup(target);
    },
    async close() {
      isClosed = true;
      clearInterval(looking);
      await rescued;
      await log.close();
      // Closing would copy the log into the database file, and must not with a log that was cut short or a disk that fails.
      if (failure) return;
      reader.close();
      await queries.destroy();
    },
  };
}
