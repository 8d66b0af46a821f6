import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './records.ts';

/** What a query runs on: the database itself, or a transaction of it. */
export type Queries = Kysely<Tables>;

/** An open database, whichever engine stands behind it. */
export interface Database {
  /** For reads, and for a single write that may be lost to a locked database. */
  readonly queries: Queries;
  /**
   * Runs `work` in one transaction that takes the write lock at its start. A locked database is asked again until
   * `patienceMs` have passed (2,000 unless told), without blocking the event loop. `work` may therefore run more than
   * once: it does nothing but queries.
   * @throws DatabaseUnavailableError when the patience ran out, or the database cannot be written at all
   */
  write<T>(work: (transaction: Transaction<Tables>) => Promise<T>, patienceMs?: number): Promise<T>;
  /** Resolves if the database answers. @throws DatabaseUnavailableError */
  ping(): Promise<void>;
  /** Makes erased secrets leave the files on disk too, as far as other readers let it. */
  scrub(): Promise<void>;
  /** Writes a consistent copy to a new file while others go on working. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Thrown when the database cannot be opened, read or written: locked too long, read-only, full, gone or damaged. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  readonly code = 'database_unavailable';
}

/** Thrown at the start when the database holds migrations that this code does not know. */
export class DatabaseNewerError extends Error {
  override readonly name = 'DatabaseNewerError';
  readonly code = 'database_newer';
  constructor(unknown: readonly string[]) {
    super(
      `The database was written by a newer Foyer (it has ${unknown.join(', ')}). ` +
        'Start that version, or restore the backup that was made before the upgrade.',
    );
  }
}
