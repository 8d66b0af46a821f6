import type { Kysely, Transaction } from 'kysely';
import type { BuildQuery, QueryValues } from './prepared-query.ts';
import type { Tables } from './records.ts';

/**
 * Why rows are locked, and in which order: SQLite lets one transaction write after another, and Postgres does not. So
 * what a transaction reads to decide what it writes, it locks as it reads (`.forUpdate()` and its like, which SQLite
 * leaves out), or its write compares with what was read. The row of an installation comes first (`lockInstallation`),
 * then that of a run (`holdLease`), then what hangs on them: two that lock in different orders wait for each other.
 */

/** What a reader runs on: the database itself, or a transaction of it. */
export type Queries = Kysely<Tables>;

/**
 * A transaction under way. A function that takes one as its first parameter never commits: its caller does, by
 * `database.write`.
 */
export type Tx = Transaction<Tables>;

/** An open database, whichever engine stands behind it. */
export interface Database {
  /** For reads, and for a single write that may be lost to a locked database, or on SQLite to a power cut. */
  readonly queries: Queries;
  /**
   * Runs `work` in one transaction, and resolves once that is safe on the disk. Where the database is locked, its server is away for a moment, or two transactions
   * have met, it is done again until `patienceMs` have passed (2,000 unless told), without blocking the event loop.
   * `work` may therefore run more than once: it does nothing but queries.
   * @throws DatabaseUnavailableError when the patience ran out, or the database cannot be written at all
   */
  write<T>(work: (tx: Tx) => Promise<T>, patienceMs?: number): Promise<T>;
  /** Compiles a read once, for what is asked at every event. It sees what is committed, and nothing else. */
  prepare<Values extends QueryValues<Values>, Row>(build: BuildQuery<Values, Row>): PreparedRead<Values, Row>;
  /** The same for a read of several rows. */
  prepareList<Values extends QueryValues<Values>, Row>(
    build: BuildQuery<Values, Row>,
  ): PreparedList<Values, Row>;
  /**
   * A number that is another one once something was committed: by `write` at once, by another process at the next turn
   * of the event loop in SQLite, and within half a second in Postgres. What was read after it was asked for stands as
   * long as it stays the same.
   */
  changeMark(): number;
  /** Resolves if the database answers and can be written. @throws DatabaseUnavailableError */
  ping(): Promise<void>;
  /**
   * Resolves if this process can no longer use the database safely: the disk failed, or a file was taken away. Only a
   * new process helps; every write is refused from then on.
   */
  readonly failed: Promise<DatabaseUnavailableError>;
  /** What `failed` resolved with; undefined while all is well. */
  failure(): DatabaseUnavailableError | undefined;
  /** Makes erased secrets leave the files on disk too, as far as other readers let it. */
  scrub(): Promise<void>;
  /** Writes a consistent copy to a new file while others go on working. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Answers with the first row, or undefined where there is none. @throws DatabaseUnavailableError */
export type PreparedRead<Values, Row> = (values: Values) => Promise<Row | undefined>;

/** Answers with every row. @throws DatabaseUnavailableError */
export type PreparedList<Values, Row> = (values: Values) => Promise<Row[]>;

/** Thrown when the database cannot be opened, read or written: locked too long, read-only, full, gone or damaged. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  readonly code = 'database_unavailable';
  /** Whether what was to be written may be there all the same: the commit was begun, and its end is unknown. */
  readonly mayBeCommitted: boolean;

  constructor(message: string, options: ErrorOptions & { mayBeCommitted?: boolean } = {}) {
    super(message, options);
    this.mayBeCommitted = options.mayBeCommitted ?? false;
  }

  /** For whoever starts a program. What only tells its cause names no fix; doctor tells the causes apart. */
  get advice(): string {
    if (this.cause === undefined) return this.message;
    return `${this.message.replace(/\.$/, '')}.\n\`npm run foyer -- doctor\` says what is wrong with the database of DATABASE_URL, and what fixes it.`;
  }
}

/** Thrown at the start if the database holds migrations that this code does not know: Foyer's, or the app's own. */
export class DatabaseNewerError extends Error {
  override readonly name = 'DatabaseNewerError';
  readonly code = 'database_newer';
  constructor(unknown: readonly string[], whose: 'Foyer' | 'the app' = 'Foyer') {
    super(
      whose === 'Foyer'
        ? `The database was written by a newer Foyer (it has ${unknown.join(', ')}). ` +
            'Start that version, or restore the backup that was made before the upgrade.'
        : `The database has migrations of the app that its definition does not have (${unknown.join(', ')}). ` +
            'Start the newer version of the app, or put them back into `migrations`: one that was applied is never removed or renamed.',
    );
  }
}
