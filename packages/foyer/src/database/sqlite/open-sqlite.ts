import { type Stats, statSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { Kysely } from 'kysely';
import { type Database, type DatabaseSize, DatabaseUnavailableError } from '../database.ts';
import { migrate, type OwnMigrations } from '../migrate.ts';
import { compileQuery } from '../prepared-query.ts';
import { createDiskProbe } from '../probe.ts';
import type { Tables } from '../records.ts';
import { createCommits, type LogOnDisk, openLogOnDisk } from './commit-together.ts';
import {
  createStatements,
  foyerSqliteDialect,
  isLocked,
  openSqliteFile,
  sqliteCode,
  unavailable,
} from './sqlite-file.ts';

/**
 * Why the busy_timeout is only a few milliseconds: SQLite blocks the process while it waits, so Foyer would answer no
 * page and no health check. Instead, `write` waits between the attempts of its transaction.
 */
const busyTimeoutMs = 20;
const retryDelayMs = 25;
/**
 * A backup copies this many pages at a time, as better-sqlite3 does by default; other work runs between two batches.
 */
const backupPages = 100;
/** How long this process waits, when it starts, for another process to finish migrating the database. */
const openingPatienceMs = 15_000;

/** Retries `work` while the database is locked, until `patienceMs` have passed. Throws any other error immediately. */
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
 * Opens a SQLite database and brings its tables up to date. Creates the file (mode 0600) and its folder if needed.
 * Calls `warn` with messages for the operator, and `onCreated` if the database is new.
 * @throws DatabaseUnavailableError, DatabaseNewerError, OwnMigrationError
 */
export async function openSqlite(
  file: string,
  {
    migrations,
    ...opening
  }: {
    migrations?: OwnMigrations;
    mustBeFoyers?: boolean;
    warn?(text: string): void;
    onCreated?(file: string): void;
  } = {},
): Promise<Database> {
  const sqlite = openSqliteFile(file, opening);
  const { promise: failed, resolve: reportFailure } = Promise.withResolvers<DatabaseUnavailableError>();
  let failure: DatabaseUnavailableError | undefined;
  let rescued: Promise<void> | undefined;
  let isClosed = false;
  const fail = (error: DatabaseUnavailableError): void => {
    if (failure || isClosed) return;
    failure = error;
    rescued = rescueLog().finally(() => reportFailure(error));
  };
  /**
   * If the log is the only file that was removed, copies its content into the database file. This works because this
   * process still has the removed log open.
   */
  async function rescueLog(): Promise<void> {
    if (!watch?.isLogUnlinked()) return;
    await queries
      .connection()
      .execute(async () => sqlite.pragma('wal_checkpoint(FULL)'))
      .catch((error) =>
        opening.warn?.(
          `The write-ahead log of ${file} was removed, and Foyer could not copy its content into the database: ${error}`,
        ),
      );
  }
  let damageSeen = 0;
  const fatal = {
    report: fail,
    reportDamage: () => {
      damageSeen += 1;
    },
    locksFailed: () => (/^SQLITE_PROTOCOL/.test(sqliteCode(failure?.cause)) ? failure : undefined),
  };
  const statements = createStatements(sqlite, file, fatal);
  const queries = new Kysely<Tables>({ dialect: foyerSqliteDialect(statements) });
  sqlite.pragma(`busy_timeout = ${busyTimeoutMs}`);
  let log: LogOnDisk;
  let watch: ReturnType<typeof watchFiles> | undefined;
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
  // A second connection, so that it does not see what an open transaction on the first connection has written.
  const reader = createStatements(looker, file, fatal);
  const dataVersion = reader.prepare('pragma data_version');
  // Each read of the version makes SQLite lock and unlock the file. If Foyer read the version every time it is needed,
  // these reads would be a twelfth of the work of handling an event. So Foyer reads the version once per iteration of
  // the event loop. It then sees a commit of another process in the next iteration, and this process's own commits
  // immediately.
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
        // If the disk or a file failed after this write had done its work, a restart may show that the write was
        // committed. If the failure came earlier, the write was rolled back.
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
    // A closed database refuses every statement, so there is no need to watch its files.
    if (isClosed) return;
    try {
      watch?.assertInPlace();
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) fail(error);
      throw error;
    }
  }

  /** Checks that the files are still in place. Runs once a second, even if there are no writes, until a check fails. */
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
        // If the file now holds only another program's tables, it counts as unavailable: Foyer cannot work with it.
        throw error instanceof DatabaseUnavailableError ? error : unavailable(error, file);
      }
    },
    failed,
    failure: () => failure,
    damageSeen: () => damageSeen,
    measure: () => measureFile(file),
    async scrub() {
      // Waits until the connection is free, since SQLite refuses a checkpoint within a transaction. If other
      // connections are reading, this checkpoint does only part of the work, and the next one does the rest.
      await queries.connection().execute(async () => sqlite.pragma('wal_checkpoint(TRUNCATE)'));
    },
    async backup(target, onProgress) {
      // Without an open read transaction, SQLite begins again from the first page after each write of another process,
      // so a backup of a busy database would never end (sqlite.org/c3ref/backup_finish.html).
      const snapshot = new Sqlite(file, { readonly: true, timeout: busyTimeoutMs });
      try {
        snapshot.exec('begin; select 1 from sqlite_schema');
        await snapshot.backup(target, {
          progress({ totalPages, remainingPages }) {
            onProgress?.({ done: totalPages - remainingPages, of: totalPages, unit: 'pages' });
            return backupPages;
          },
        });
      } finally {
        snapshot.close();
      }
    },
    async close() {
      isClosed = true;
      clearInterval(looking);
      await rescued;
      await log.close();
      // Closing the database copies the log into the database file, which does harm if the log was cut short or the
      // disk has failed.
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

/**
 * Why Foyer watches the files: if a file is removed, replaced or cut short, a process that has it open can still use
 * it, but everything written to the file is lost when that process ends. So each write checks the files before its
 * transaction and again before it resolves, and a timer checks them once a second.
 *
 * Why no file is opened here: a process that closes a file loses all its locks on that file, including SQLite's (man 2
 * fcntl). Another process would then believe that no other process has the file open.
 */

const logHeaderBytes = 32;
const frameHeaderBytes = 24;

/** Watches an open SQLite database in WAL mode, with its log and the log's index; `reader` is a connection to it. */
function watchFiles(file: string, reader: Sqlite.Database) {
  const names = [file, `${file}-wal`, `${file}-shm`] as const;
  const opened = names.map((name) => statSync(name));
  const frameBytes = frameHeaderBytes + Number(reader.pragma('page_size', { simple: true }));
  // With NOOP, this pragma writes nothing: it only reports how many frames the log has, which takes 4 µs
  // (sqlite.org/pragma.html#pragma_wal_checkpoint).
  const askLog = reader.prepare<[], { log: number }>('pragma wal_checkpoint(NOOP)');
  function framesInLog(): number {
    try {
      return askLog.get()?.log ?? 0;
    } catch {
      // If the database is damaged or locked, the next ordinary query reports the error.
      return 0;
    }
  }

  function lost(name: string, what: string): DatabaseUnavailableError {
    return new DatabaseUnavailableError(
      `The file ${name} was ${what} while Foyer had it open. Foyer stops, since what it writes now would be lost; a ` +
        'restart opens the database again. Find what touches that file (a backup, a cleanup job, another container): ' +
        'only Foyer may touch it, and `npm run foyer -- backup FILE` makes copies. If the database itself is gone, ' +
        'first put back the file or its newest backup.',
    );
  }

  function found(at: 0 | 1 | 2): Stats {
    const now = statSync(names[at], { throwIfNoEntry: false });
    if (!now) throw lost(names[at], 'removed');
    if (now.ino !== opened[at]?.ino || now.dev !== opened[at]?.dev) throw lost(names[at], 'replaced');
    return now;
  }

  return {
    /**
     * @throws DatabaseUnavailableError if a file was removed or replaced since it was opened, or the log was cut short
     */
    assertInPlace(): void {
      found(0);
      found(2);
      for (;;) {
        const frames = framesInLog();
        const { size } = found(1);
        if (frames === 0 || size >= logHeaderBytes + frames * frameBytes) return;
        // Another process may have truncated the log after the frames were counted. If so, the frame count has dropped
        // too, and the loop compares the new count with the new size.
        if (framesInLog() === frames) throw lost(names[1], 'cut short');
      }
    },
    /**
     * Returns whether the log was removed, while the database and the log's index are still there. If so, a process
     * that has the log open can still read the whole log.
     */
    isLogUnlinked(): boolean {
      const isThere = (name: string): boolean => statSync(name, { throwIfNoEntry: false }) !== undefined;
      const database = statSync(names[0], { throwIfNoEntry: false });
      return database?.ino === opened[0]?.ino && isThere(names[2]) && !isThere(names[1]);
    },
  };
}
