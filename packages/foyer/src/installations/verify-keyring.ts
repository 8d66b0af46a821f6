import type { Database, Queries } from '../database/database.ts';
import { findForeignSeal, forgetEncryptionKeys, recordEncryptionKey } from '../database/seals.ts';
import { type Keyring, KeyringError } from './keyring.ts';
import { createSealer, SealBrokenError, sealedKeyId, sealedPrefix } from './sealer.ts';

const knownText = 'foyer';
const place = (keyId: string): string => `encryption-key:${keyId}`;

/**
 * Refuses the start, before any token is touched, where the keys do not fit the database: a key that is another one
 * than its id had before, or rows that need a key which is not there. A key that nothing needs any more is forgotten.
 * @throws KeyringError naming the key, DatabaseUnavailableError
 */
export async function verifyKeyring(
  database: Database,
  keyring: Keyring,
  now: () => number = Date.now,
): Promise<void> {
  await database.write(async (transaction) => {
    for (const id of keyring.ids) {
      const sealer = createSealer({ keyring: keyring.only(id), purpose: 'key-check' });
      const sealedCheck = sealer.seal(knownText, place(id));
      await recordEncryptionKey(transaction, { id, sealedCheck, now: now() });
    }
    const misfit = await findKeyMisfit(transaction, keyring);
    if (misfit !== undefined) throw new KeyringError(misfit);
    await forgetEncryptionKeys(transaction, { except: keyring.ids });
  });
}

/**
 * Says in what the keys do not fit the database, and what to do; undefined where they do. Writes nothing.
 *
 * Why it looks for what another key has sealed only where a key that was used is not given: whoever seals has recorded
 * his keys before, and to look at every token at each start takes a while where there are a million.
 */
export async function findKeyMisfit(queries: Queries, keyring: Keyring): Promise<string | undefined> {
  const recorded = await queries.selectFrom('encryption_keys').select(['id', 'sealed_check']).execute();
  for (const { id, sealed_check } of recorded) {
    if (keyring.ids.includes(id) && !opens(keyring, id, sealed_check)) return anotherKey(id);
  }
  if (recorded.every(({ id }) => keyring.ids.includes(id))) return undefined;
  const foreign = await findForeignSeal(queries, keyring.ids.map(sealedPrefix));
  return foreign === undefined ? undefined : missingKey(sealedKeyId(foreign) ?? 'of an unknown form');
}

function opens(keyring: Keyring, id: string, sealedCheck: string): boolean {
  const sealer = createSealer({ keyring: keyring.only(id), purpose: 'key-check' });
  try {
    return sealer.open(sealedCheck, place(id)) === knownText;
  } catch (cause) {
    if (cause instanceof SealBrokenError) return false;
    throw cause;
  }
}

function anotherKey(id: string): string {
  return (
    `The encryption key ${id} is another one than the one that this database was used with. Restore the former key ` +
    'under that id in TOKEN_ENCRYPTION_KEYS (or the key file beside the database). A new key needs an id of its own.'
  );
}

function missingKey(id: string): string {
  return (
    `The database holds tokens that were encrypted with the key ${id}, which is missing. Add it again to ` +
    'TOKEN_ENCRYPTION_KEYS (behind the first, if another one is to encrypt), or restore the key file beside the ' +
    'database. Without that key those tokens are lost, and the app must be installed again.'
  );
}
