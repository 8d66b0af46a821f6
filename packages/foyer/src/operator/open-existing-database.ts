import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { type DatabaseTarget, serverName } from '../config/database-target.ts';
import type { Database } from '../database/database.ts';
import type { OwnMigrations } from '../database/migrate.ts';
import { openDatabase } from '../database/open-database.ts';
import { peekTables } from '../database/peek-tables.ts';
import { type Keyring, KeyringError, keyFileOf, loadKeyring } from '../installations/keyring.ts';
import { CommandError } from './command-error.ts';
import { describeAbsentDatabase } from './doctor/describe-absent-database.ts';

/**
 * Opens a database that Foyer has created. A command never creates one: an empty answer from a new one would look as if
 * every installation were gone, while in fact DATABASE_URL names the wrong place.
 * @throws CommandError, DatabaseUnavailableError, DatabaseNewerError, OwnMigrationError
 */
export async function openExistingDatabase(
  target: DatabaseTarget,
  migrations?: OwnMigrations,
): Promise<Database> {
  if (target.kind === 'postgres') {
    const tables = await peekTables(target);
    if (!tables.some(({ name }) => name === 'installations')) {
      throw new CommandError(
        `There is no database yet at ${serverName(target.url)}. Start Foyer once (npm start) to create it, or check DATABASE_URL.`,
      );
    }
    return openDatabase(target, { migrations });
  }
  const absent = describeAbsentDatabase(target.file);
  if (absent) throw new CommandError(`${absent.detail} ${absent.fix}`);
  return openDatabase(target, { migrations });
}

/**
 * Loads the existing keys. Unlike the server, a command creates none: a new key decrypts no stored token. @throws
 * KeyringError
 */
export function loadExistingKeyring(config: Config): Keyring {
  const file = keyFileOf(config);
  if (file !== undefined && !existsSync(file)) {
    throw new KeyringError(`The key file ${file} is missing. Restore it, or set TOKEN_ENCRYPTION_KEYS.`);
  }
  return loadKeyring({ config });
}
