import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { type DatabaseTarget, serverName } from '../config/database-target.ts';
import type { Database } from '../database/database.ts';
import type { OwnMigrations } from '../database/migrate.ts';
import { openDatabase } from '../database/open-database.ts';
import { peekTables } from '../database/peek-tables.ts';
import { findUnwritable } from '../database/sqlite/find-unwritable.ts';
import { type Keyring, KeyringError, keyFileOf, loadKeyring } from '../installations/keyring.ts';
import { CommandError } from './command-error.ts';
import { describeAbsentDatabase } from './doctor/describe-absent-database.ts';
import { unwritableDetail } from './doctor/unwritable-detail.ts';

/**
 * Opens a database that Foyer has created. A command never creates one: if DATABASE_URL were wrong, a new, empty
 * database would look as if every installation were gone.
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
  const readOnly = findUnwritable(target.file).filter(({ reason }) => reason === 'EROFS');
  if (readOnly.length > 0) throw new CommandError(`${unwritableDetail(readOnly)} ${readOnlyFix}`);
  return openDatabase(target, { migrations, mustBeFoyers: true });
}

const readOnlyFix =
  'Only doctor reads a database that cannot be written. Copy the file to another disk, with its -wal if there is one, ' +
  'and name the copy in DATABASE_URL; or mount the disk so that it can be written.';

/**
 * Loads the existing keys. Unlike the server, a command creates no key: a new key could not decrypt the stored tokens.
 * @throws KeyringError
 */
export function loadExistingKeyring(config: Config): Keyring {
  const file = keyFileOf(config);
  if (file !== undefined && !existsSync(file)) {
    throw new KeyringError(`The key file ${file} is missing. Restore it, or set TOKEN_ENCRYPTION_KEYS.`);
  }
  return loadKeyring({ config });
}
