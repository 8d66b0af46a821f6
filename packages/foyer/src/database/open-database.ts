import type { DatabaseTarget } from '../config/database-target.ts';
import { readCopyMark } from './copy/copy-mark.ts';
import { type Database, DatabaseUnavailableError } from './database.ts';
import type { OwnMigrations } from './migrate.ts';

interface OpenDatabaseOptions {
  /** How long to wait for a Postgres server that is not running yet; 2,500 ms by default. */
  patienceMs?: number;
  /** The app's own migrations; none by default. */
  migrations?: OwnMigrations;
  /** Whether to refuse a SQLite file without Foyer's tables, and leave it unchanged. */
  mustBeFoyers?: boolean;
  /** Called with messages for the operator. */
  warn?(text: string): void;
  /** Called if a new SQLite database was created, in a new file or in an empty one. */
  onCreated?(file: string): void;
}

/**
 * Opens the database that the configuration names, and brings Foyer's tables and the app's own up to date. Creates a
 * SQLite file if there is none. Refuses a database that contains an unfinished copy.
 * @throws DatabaseUnavailableError, DatabaseNewerError, OwnMigrationError
 */
export async function openDatabase(
  target: DatabaseTarget,
  options: OpenDatabaseOptions = {},
): Promise<Database> {
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
 * Opens a database as `openDatabase` does, but accepts an unfinished copy, so that `copy` can continue it.
 *
 * Why dynamic imports: Foyer needs only one of the two drivers. With both, it would load about 3 % more modules at
 * startup.
 */
export async function openAnyDatabase(
  target: DatabaseTarget,
  options: OpenDatabaseOptions = {},
): Promise<Database> {
  if (target.kind === 'sqlite') {
    const { openSqlite } = await import('./sqlite/open-sqlite.ts');
    return openSqlite(target.file, options);
  }
  const { openPostgres } = await import('./postgres/open-postgres.ts');
  return openPostgres(target.url, options);
}

/** Returns a message that says what to do with a database that contains an unfinished copy. */
export function unfinishedCopy(source: string): string {
  return (
    `A copy of ${source} into this database is unfinished. To finish it, set DATABASE_URL to the source, and run ` +
    '`npm run foyer -- copy --to` with the URL of this database. To start without it, set DATABASE_URL to an empty ' +
    'database.'
  );
}
