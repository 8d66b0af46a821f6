import type { Database } from '../database/database.ts';
import type { Keyring } from './keyring.ts';

/**
 * Refuses the start, before any token is touched, where the keys do not fit the database.
 * @throws KeyringError naming the key, DatabaseUnavailableError
 */
export async function verifyKeyring(
  _database: Database,
  _keyring: Keyring,
  _now: () => number,
): Promise<void> {
  throw new Error('not built yet');
}
