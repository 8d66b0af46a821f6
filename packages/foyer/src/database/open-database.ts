import type { DatabaseTarget } from '../config/database-target.ts';
import { readCopyMark } from './copy/copy-mark.ts';
import { type Database, DatabaseUnavailableError } from './database.ts';

export interface OpenOptions {
  /** How long to wait for a Postgres server that is not there yet; 2,500 unless given. */
  patienceMs?: number;
  /** Called with what the operator should know. */
  warn?(text: string): void;
}

/**
 * Opens the database that the configuration names, makes a SQLite file if there is none, and brings its schema up to
 * date. Refuses one that holds half of a copy.
 * @throws DatabaseUnavailableError, DatabaseNewerError
 */
export async function openDatabase(target: DatabaseTarget, options: OpenOptions = {}): Promise<Database> {
  const database = await openAnyDatabase(target, options);
  try {
    const mark = await readCopyMark(database.queries);
    if (mark) throw new DatabaseUnavailableError(unfinishedCopy(mark.source));
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/**
 * The same for one that may hold half of a copy: the copy continues with it.
 *
 * Why each engine is loaded here: the other one's driver would be one module in thirty of a start, for nothing.
 */
export async function openAnyDatabase(target: DatabaseTarget, options: OpenOptions = {}): Promise<Database> {
  if (target.kind === 'sqlite') {
    const { openSqlite } = await import('./sqlite/open-sqlite.ts');
    return openSqlite(target.file, options);
  }
  const { openPostgres } = await import('./postgres/open-postgres.ts');
  return openPostgres(target.url, options.patienceMs);
}

/** What is to be done with a database that holds half of a copy. */
export function unfinishedCopy(source: string): string {
  return (
    `A copy of ${source} into this database is unfinished. Run \`npm run foyer -- copy\` again to finish it (with ` +
    'DATABASE_URL of the source, and --to this database), or name an empty database.'
  );
}
