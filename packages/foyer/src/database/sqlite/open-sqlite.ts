import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { Kysely } from 'kysely';
import { type Database, type DatabaseSize, DatabaseUnavailableError } from '../database.ts';
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
 * Why a busy_timeout of a few milliseconds: SQLite waits inside the process, and meanwhile no page and no health check
 * is answered. `write` waits outside instead, between attempts of its transaction.
 */
const busyTimeoutMs = 20;
const retryDelayMs = 25;
/** A backup copies this many pages at a time, as better-sqlite3 does by default, and lets others work in between. */
const backupPages = 100;
/** How long another process may take to migrate the database before this one gives up starting. */
const openingPatienceMs = 15_000;

/** SQLite's own code for "someone else is writing". */
const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

/** SQLite's refusals that no retry of the same statement fixes. */
const isUnavailable = (error: unknown): boolean =>
  /^SQLITE_(BUSY|LOCKED|READONLY|IOERR|FULL|CANTOPEN|CORRUPT|NOTADB|PERM|AUTH|PROTOCOL)/.test(
    codeOf(error),
  ) ||
  (error instanceof TypeError && /database connection is not open/.test(error.message));

/**
 * Errors after which this process must not use the database: the disk failed, or locks do not work. SQLITE_PROTOCOL
 * comes after SQLite has tried for ten seconds to get a lock and blocked the event loop: it must not be tried again.
 */
const isFatal = (error: unknown): boolean =>
  /^SQLITE_(IOERR(?!_SHORT_READ|_LOCK|_BLOCKED|_NOMEM)|PROTOCOL)/.test(codeOf(error));

/** Whether a page does not hold what it should: usually the disk lost it, or a program wrote to the file. */
const isDamage = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));

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
    // Opening a pipe would wait forever for its other end.
    const found = statSync(file, { throwIfNoEntry: false });
    if (found && !found.isFile()) throw new Error('it is a folder or a device');
    // SQLite would also open a file that it may not write, and report that late.
    if (found) accessSync(file, constants.R_OK | constants.W_OK);
    // Created here, since SQLite would make it readable for everyone; its WAL gets the same mode. An existing file is
    // not opened here: closing it would drop the locks that another connection of this process holds.
    else closeSync(openSync(file, 'a', 0o600));
    for (const each of [file, `${file}-wal`, `${file}-shm`]) {
      if (makePrivate(each))
        warn?.(
          `Other users of this machine could read ${each}. Foyer has made it readable by its owner only.`,
        );
    }
    syncFolder(dirname(file));
    const sqlite = new Sqlite(file, { timeout: 5000 });
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    // A checkpoint costs as much as many commits: run one for every 32 MB of log, not for every 4.
    sqlite.pragma('wal_autocheckpoint = 8000');
    sqlite.pragma('secure_delete = ON');
    sqlite.pragma('foreign_keys = ON');
    return sqlite;
  } catch (error) {
    // Names no variable: the file may be the target of a copy.
    const fix = 'it has to be a file of Foyer’s own that this user may write, with free space on its disk';
    throw new DatabaseUnavailableError(`${unavailable(error, file).message}; ${fix}`, { cause: error });
  }
}

/**
 * The database that Kysely runs its statements on: the open file, with each statement compiled once and each refusal of
 * SQLite turned into a DatabaseUnavailableError.
 */
function createStatements(
  sqlite: Sqlite.Database,
  file: string,
  fatal: {
    report(error: DatabaseUnavailableError): void;
    reportDamage(): void;
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
      if (isDamage(error)) fatal.reportDamage();
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

/** Retries while the database is locked, until the patience runs out; any other error goes to the caller. */
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
 * Opens a SQLite database, creates the file (mode 0600) and its folder if needed, and brings it up to date. `warn` is
 * called with messages for the operator.
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
  /** A log that only lost its name can still be read: its content goes into the database file, and nothing is lost. */
  async function rescueLog(): Promise<void> {
    if (!watch?.isLogUnlinked()) return;
    await queries
      .connection()
      .execute(async () => sqlite.pragma('wal_checkpoint(FULL)'))
      .catch((error) => warn?.(`The log of ${file} could not be saved: ${error}`));
  }
  let damageSeen = 0;
  const fatal = {
    report: fail,
    reportDamage: () => {
      damageSeen += 1;
    },
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
  // A second connection: what an open transaction on the first one has written is not committed yet.
  const reader = createStatements(looker, file, fatal);
  const dataVersion = reader.prepare('pragma data_version');
  // Asked once per turn of the event loop, since it locks and unlocks the file (a twelfth of an event's work): no one
  // here can know yet of what another process commits within that turn. Our own commits are seen at once.
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
        // A commit that failed on its way to the disk may be there after a restart; any other was rolled back.
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
    // A closed database refuses its statements; its files are no longer ours to watch.
    if (isClosed) return;
    try {
      watch?.assertInPlace();
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) fail(error);
      throw error;
    }
  }

  /** Runs once a second, also if no one writes. */
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
        // A foreign schema counts too: nothing can be served from it.
        throw error instanceof DatabaseUnavailableError ? error : unavailable(error, file);
      }
    },
    failed,
    failure: () => failure,
    damageSeen: () => damageSeen,
    measure: () => measureFile(file),
    async scrub() {
      // Waits for its turn on the connection, since SQLite refuses a checkpoint within a transaction. Busy readers make
      // it do less, which is fine: the next checkpoint does the rest.
      await queries.connection().execute(async () => sqlite.pragma('wal_checkpoint(TRUNCATE)'));
    },
    async backup(target, onProgress) {
      await sqlite.backup(target, {
        progress({ totalPages, remainingPages }) {
          onProgress?.({ done: totalPages - remainingPages, of: totalPages, unit: 'pages' });
          return backupPages;
        },
      });
    },
    async close() {
      isClosed = true;
      clearInterval(looking);
      await rescued;
      await log.close();
      // Closing would copy the log into the database file: not with a log that was cut short or a disk that fails.
      if (failure) return;
      reader.close();
      await queries.destroy();
    },
  };
}

/** Measures the database file with its log, and the disk that holds them. */
async function measureFile(file: string): Promise<DatabaseSize> {
  try {
    const { size } = await stat(file);
    const log = await stat(`${file}-wal`).catch(() => undefined);
    const { bsize, blocks, bavail } = await statfs(dirname(file));
    return {
      bytes: size + (log?.size ?? 0),
      disk: { bytes: blocks * bsize, freeBytes: bavail * bsize },
      pool: { busy: 0, idle: 0, waiting: 0, most: 0 },
    };
  } catch (error) {
    throw unavailable(error, file);
  }
}
