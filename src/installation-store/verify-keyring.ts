import type { Database, Queries } from '../database/database.ts';
import { findForeignSeal } from '../database/find-foreign-seal.ts';
import { recordEncryptionKey } from '../database/record-encryption-key.ts';
import { type Keyring, KeyringError } from './keyring.ts';
import { createSealer, SealBrokenError, sealedKeyId, sealedPrefix } from './sealer.ts';

const knownText = 'foyer';
const place = (keyId: string): string => `encryption-key:${keyId}`;

/**
 * Refuses the start, before any token is touched, where the keys do not fit the database: a key that is another one
 * than its id had before, or rows that need a key which is not there.
 * @throws KeyringError naming the key, DatabaseUnavailableError
 */
export async function verifyKeyring(
  database: Database,
  keyring: Keyring,
  now: () => number = Date.now,
): Promise<void> {
  await database.write(async (transaction) => {
    for (const id of keyring.ids) await verifyKey(transaction, keyring, id, now());
    const foreign = await findForeignSeal(transaction, keyring.ids.map(sealedPrefix));
    if (foreign === undefined) return;
    const id = sealedKeyId(foreign) ?? 'of an unknown form';
    throw new KeyringError(
      `The database holds tokens that were encrypted with the key ${id}, which is missing. Add it again to ` +
        'TOKEN_ENCRYPTION_KEYS (behind the first, if another one is to encrypt), or restore the key file beside the ' +
        'database. Without that key those tokens are lost, and the app must be installed again.',
    );
  });
}

async function verifyKey(transaction: Queries, keyring: Keyring, id: string, now: number): Promise<void> {
  const sealer = createSealer({ keyring: keyring.only(id), purpose: 'key-check' });
  const sealedCheck = sealer.seal(knownText, place(id));
  const recorded = await recordEncryptionKey(transaction, { id, sealedCheck, now });
  try {
    if (sealer.open(recorded, place(id)) === knownText) return;
  } catch (cause) {
    if (!(cause instanceof SealBrokenError)) throw cause;
  }
  throw new KeyringError(
    `The encryption key ${id} is another one than the one that this database was used with. Restore the former key ` +
      'under that id in TOKEN_ENCRYPTION_KEYS (or the key file beside the database). A new key needs an id of its own.',
  );
}
