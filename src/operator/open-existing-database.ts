import { statSync } from 'node:fs';
import type { DatabaseTarget } from '../config.ts';
import type { Database } from '../database/database.ts';
import { openSqlite } from '../database/sqlite/open-sqlite.ts';
import { CommandError } from './command-error.ts';

/**
 * Opens the database that Foyer has made. A command never makes one: an empty answer from a new file would look as if
 * every installation were gone, where in truth DATABASE_URL names the wrong place.
 * @throws CommandError, DatabaseUnavailableError, DatabaseNewerError
 */
export async function openExistingDatabase(target: DatabaseTarget): Promise<Database> {
  if (target.kind !== 'sqlite') {
    throw new CommandError('This version cannot use Postgres. Set DATABASE_URL to file:./data/foyer.db.');
  }
  const found = statSync(target.file, { throwIfNoEntry: false });
  if (found === undefined || found.size === 0) {
    throw new CommandError(
      `There is no database yet at ${target.file}. ` +
        'Start Foyer once (npm start) to make it, or check DATABASE_URL.',
    );
  }
  return openSqlite(target.file);
}
