import type { Kysely, Transaction } from 'kysely';
import type { BuildQuery, QueryValues } from './prepared-query.ts';
import type { Tables } from './records.ts';

/**
 * Why rows are locked, and in which order: SQLite runs write transactions one at a time, and Postgres does not. So a
 * transaction locks the rows on which its writes depend (`.forUpdate()` and similar, which Foyer drops for SQLite), or
 * its write checks that they have not changed. It locks an installation's row first (`lockInstallation`), then a run's
 * (`holdLease`), then the rows below them: two transactions with different orders would wait for each other.
 */

/**
 * The database itself, or one of its transactions: a read can run on both. Many queries use `eb.and({ … })` with values
 * that may be undefined. Kysely omits the columns whose value is undefined.
 */
export type Queries = Kysely<Tables>;

/**
 * An open transaction. A function that takes one as its first parameter never commits: its caller does, with
 * `database.write`.
 */
export type Tx = Transaction<Tables>;

/** The progress of a backup, in pages for SQLite and in rows for Postgres. */
export interface BackupProgress {
  done: number;
  of: number;
  unit: 'pages' | 'rows';
}

/** An open SQLite or Postgres database. */
export interface Database {
  /**
   * For reads, and for single writes that Foyer can do without: such a write is lost if the database is locked or, on
   * SQLite, if the power fails.
   */
  readonly queries: Queries;
  /**
   * Runs `work` in one transaction, and resolves once the transaction is safe on disk. Retries for up to `patienceMs`
   * (2,000 by default) if the database is locked, its server is briefly unavailable, or two transactions conflict. Does
   * not block the event loop meanwhile. Because of the retries, `work` may run more than once, and must do nothing
   * except run queries.
   * @throws DatabaseUnavailableError if `patienceMs` have passed, or the database cannot be written at all
   */
  write<T>(work: (tx: Tx) => Promise<T>, patienceMs?: number): Promise<T>;
  /**
   * Compiles a query that reads one row, for reads that every event needs. The query sees only what is committed; the
   * read resolves to undefined if it finds no row.
   * @throws DatabaseUnavailableError
   */
  prepare<Values extends QueryValues<Values>, Row>(
    build: BuildQuery<Values, Row>,
  ): (values: Values) => Promise<Row | undefined>;
  /** Like `prepare`, for a query that reads several rows. */
  prepareList<Values extends QueryValues<Values>, Row>(
    build: BuildQuery<Values, Row>,
  ): (values: Values) => Promise<Row[]>;
  /**
   * A number that changes after each commit. After a `write` of this process, the number changes immediately. After any
   * other commit, it changes within half a second if the database is Postgres. If the database is SQLite, it changes in
   * the next iteration of Node's event loop. Read the number before the data: the data is current until the number
   * changes.
   */
  changeMark(): number;
  /** Resolves if the database answers and can be written. @throws DatabaseUnavailableError */
  ping(): Promise<void>;
  /**
   * Resolves if this process can no longer use the database safely: SQLite's disk or locks failed, or one of its files
   * was removed, replaced or truncated. Foyer then refuses every write until a new process starts. Never resolves in
   * Postgres.
   */
  readonly failed: Promise<DatabaseUnavailableError>;
  /** The error that `failed` resolves with; undefined until there is one. */
  failure(): DatabaseUnavailableError | undefined;
  /** How many statements of this process failed because a page of a table or an index is damaged. */
  damageSeen(): number;
  /** Measures the size of the database and the space that is left, for the metrics. @throws DatabaseUnavailableError */
  measure(): Promise<DatabaseSize>;
  /**
   * Also removes erased secrets from SQLite's write-ahead log, except for the part that other connections are still
   * reading. Does nothing in Postgres.
   */
  scrub(): Promise<void>;
  /** Writes a consistent copy to a new file, without blocking other work. The copy and its progress may start over. */
  backup(file: string, onProgress?: (progress: BackupProgress) => void): Promise<void>;
  close(): Promise<void>;
}

/** How large a database is, and how much space is left. */
export interface DatabaseSize {
  /** The size on disk. In SQLite, this includes the write-ahead log. */
  bytes: number;
  /** The disk that holds the file; undefined if the database is on a server, whose disk this process cannot see. */
  disk: { bytes: number; freeBytes: number } | undefined;
  /** The connections of this process to a server; all are 0 for a file. */
  pool: { busy: number; idle: number; waiting: number; most: number };
}

/** Thrown when the database cannot be opened, read or written: locked too long, read-only, full, gone or damaged. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  readonly code = 'database_unavailable';
  /** Whether the write may have been committed. If true, the commit was started, and its outcome is unknown. */
  readonly mayBeCommitted: boolean;

  constructor(message: string, options: ErrorOptions & { mayBeCommitted?: boolean } = {}) {
    super(message, options);
    this.mayBeCommitted = options.mayBeCommitted ?? false;
  }

  /**
   * The message for the person who starts a program. An error with a cause names no fix, so the advice points to
   * `doctor`.
   */
  get advice(): string {
    if (this.cause === undefined) return this.message;
    return `${this.message.replace(/\.$/, '')}.\n\`npm run foyer -- doctor\` says what is wrong with the database in DATABASE_URL, and how to fix it.`;
  }
}

/**
 * Thrown at startup if the database has migrations, Foyer's or the app's own, that this version of the code does not
 * have.
 */
export class DatabaseNewerError extends Error {
  override readonly name = 'DatabaseNewerError';
  readonly code = 'database_newer';
  constructor(unknown: readonly string[], whose: 'Foyer' | 'the app' = 'Foyer') {
    super(
      whose === 'Foyer'
        ? `The database was written by a newer Foyer (it has the migrations ${unknown.join(', ')}, which this version does not know). ` +
            'Start that version, or restore the backup that was made before the upgrade.'
        : `The database has migrations of the app that its definition does not have (${unknown.join(', ')}). ` +
            'Start the newer version of the app, or put these migrations back into `migrations`: never remove or rename a migration that was applied.',
    );
  }
}
