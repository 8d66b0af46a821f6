import type { DatabaseTarget } from '../config.ts';
import type { Database } from './database.ts';
import { openPostgres } from './postgres/open-postgres.ts';
import { openSqlite } from './sqlite/open-sqlite.ts';

/**
 * Opens the database that the configuration names, making a SQLite file where there is none, and brings its schema up
 * to date.
 * @throws DatabaseUnavailableError, DatabaseNewerError
 */
export function openDatabase(target: DatabaseTarget): Promise<Database> {
  return target.kind === 'sqlite' ? openSqlite(target.file) : openPostgres(target.url);
}
