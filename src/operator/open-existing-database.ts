import { statSync } from 'node:fs';
import type { DatabaseTarget } from '../config.ts';
import type { Database } from '../database/database.ts';
import { openDatabase } from '../database/open-database.ts';
import { CommandError } from './command-error.ts';

/**
 * Opens the database that Foyer has made. A command never makes one: an empty answer from a new file would look as if
 * every installation were gone, where in truth DATABASE_URL names the wrong place.
 * @throws CommandError, DatabaseUnavailableError, DatabaseNewerError
 */
export async function openExistingDatabase(target: DatabaseTarget): Promise<Database> {
  if (target.kind !== 'sqlite') return openDatabase(target);
  const found = statSync(target.file, { throwIfNoEntry: false });
  if (found === undefined || found.size === 0) {
    throw new CommandError(
      `There is no database yet at ${target.file}. ` +
        'Start Foyer once (npm start) to make it, or check DATABASE_URL.',
    );
  }
  return openDatabase(target);
}
