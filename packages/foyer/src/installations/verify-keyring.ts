import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Database, Queries, Tx } from '../database/database.ts';
import {
  findKeyHolder,
  holdKey,
  type KeyHolder,
  listKeyIds,
  lockKeyRecord,
  recordEncryptionKey,
  retireEncryptionKeys,
} from '../database/encryption-keys.ts';
import { findForeignSeal } from '../database/seals.ts';
import { createKeyring, type Keyring, KeyringError, keyFileOf, loadKeyring, newKey } from './keyring.ts';
import { createSealer, SealBrokenError, sealedKeyId, sealedPrefix } from './sealer.ts';

const knownText = 'foyer';
const place = (keyId: string): string => `encryption-key:${keyId}`;

/** How often a running process records which key it encrypts with. Such a record is valid for `keyHeldMs`. */
export const keyHeldEveryMs = 30_000;
const keyHeldMs = 3 * keyHeldEveryMs;

/**
 * Loads the keys when Foyer starts. Creates the key file only if a new key fits the database, that is, if nothing in
 * the database is encrypted and no running Foyer encrypts with another key. If Foyer refuses to start, it creates no
 * file: a new key file would hide that the right one is missing.
 * @throws KeyringError, DatabaseUnavailableError
 */
export async function loadOrCreateKeyring(
  queries: Queries,
  deps: {
    config: Pick<Config, 'encryptionKeys' | 'database'>;
    now?: () => number;
    warn?(text: string): void;
  },
): Promise<Keyring> {
  const file = keyFileOf(deps.config);
  if (file !== undefined && !existsSync(file)) {
    const misfit = await findNewKeyMisfit(queries, (deps.now ?? Date.now)());
    // Another process may also be starting for the first time. If that process has just recorded its own new key,
    // `misfit` is set. The file exists by now, because each process creates the file before it records the key. So
    // throws only if the file is still missing.
    if (misfit !== undefined && !existsSync(file))
      throw new KeyringError(`The key file ${file} is missing. ${misfit}`);
  }
  return loadKeyring(deps);
}

/** Returns why a new key would not fit the database, as `findKeyMisfit` does; undefined if a new key would fit. */
export const findNewKeyMisfit = (queries: Queries, now: number): Promise<string | undefined> =>
  findKeyMisfit(queries, createKeyring([newKey()]), { now, everySeal: true });

/**
 * Called on start, before any token is read or written. Throws if this process's keys do not fit the database:
 * - The database knows a different key under the id of one of these keys.
 * - Rows are encrypted with a key that this process does not have, or a running Foyer encrypts with such a key.
 * - A running Foyer does not have this process's first key.
 *
 * Retires the recorded keys that are not configured and that nothing needs anymore. With `process`, records that this
 * process encrypts with the first key from now on.
 * @throws KeyringError naming the key, DatabaseUnavailableError
 */
export async function verifyKeyring(
  database: Database,
  keyring: Keyring,
  { now = Date.now, process }: { now?: () => number; process?: string } = {},
): Promise<void> {
  await database.write(async (transaction) => {
    await lockKeyRecord(transaction, now());
    const isKnown = (await listKeyIds(transaction)).includes(keyring.ids[0]);
    await recordKeys(transaction, keyring, keyring.ids, now());
    const misfit = await findKeyMisfit(transaction, keyring, { now: now(), everySeal: false });
    if (misfit !== undefined) throw new KeyringError(misfit);
    if (!isKnown) {
      // Every Foyer records its keys when it starts. So if our first key was not recorded, no other running Foyer has
      // that key. Those Foyers could not read tokens that this process stores, and would lose the events of these
      // teams. The check also refuses commands that store tokens (`keys rotate`, `import`). Such a command would record
      // the key, and the next Foyer to start would wrongly assume that the running Foyers have it.
      const search = { otherThan: process ?? '', seenSince: now() - keyHeldMs };
      const other = await findKeyHolder(transaction, search);
      if (other) throw new KeyringError(keyOnlyHere(other, keyring.ids[0]), { mayPass: true });
    }
    await retireEncryptionKeys(transaction, { except: keyring.ids, now: now() });
    if (process !== undefined) await holdKey(transaction, { process, keyId: keyring.ids[0], now: now() });
  }, 15_000);
}

async function recordKeys(
  transaction: Tx,
  keyring: Keyring,
  ids: readonly string[],
  now: number,
): Promise<void> {
  for (const id of ids) {
    const sealer = createSealer({ keyring: keyring.only(id), purpose: 'key-check' });
    await recordEncryptionKey(transaction, { id, sealedCheck: sealer.seal(knownText, place(id)), now });
  }
}

/**
 * Records again that this process is running and encrypts with its first key. If another Foyer has assumed that this
 * process was dead, and has retired the key, the key counts as in use again after this call. If a running Foyer
 * encrypts with a key that this process does not have, resolves to a problem to log; otherwise to undefined.
 * @throws DatabaseUnavailableError
 */
export async function keepHoldingKey(
  database: Database,
  keyring: Keyring,
  { now, process }: { now: () => number; process: string },
): Promise<string | undefined> {
  const keyId = keyring.ids[0];
  return database.write(async (transaction) => {
    await recordKeys(transaction, keyring, [keyId], now());
    await holdKey(transaction, { process, keyId, now: now() });
    return findRival(transaction, keyring, now());
  });
}

/**
 * Returns why the keys do not fit the database, and what the operator can do; undefined if the keys fit. Writes
 * nothing.
 *
 * Always checks the recorded keys. They usually suffice, because every process records its keys before it encrypts.
 * Also checks the stored tokens if `everySeal` is true, or if a recorded key is neither in this keyring nor retired.
 * Checking a million tokens takes a while.
 */
export async function findKeyMisfit(
  queries: Queries,
  keyring: Keyring,
  { now, everySeal }: { now: number; everySeal: boolean },
): Promise<string | undefined> {
  const recorded = await queries
    .selectFrom('encryption_keys')
    .select(['id', 'sealed_check', 'retired_at'])
    .execute();
  for (const { id, sealed_check } of recorded) {
    if (keyring.ids.includes(id) && !opens(keyring, id, sealed_check)) return anotherKey(id);
  }
  const isAnyMissing = recorded.some(
    ({ id, retired_at }) => retired_at === null && !keyring.ids.includes(id),
  );
  if (isAnyMissing || everySeal) {
    const foreign = await findForeignSeal(queries, keyring.ids.map(sealedPrefix));
    if (foreign !== undefined) return missingKey(sealedKeyId(foreign) ?? '(unknown format)');
  }
  return findRival(queries, keyring, now);
}

async function findRival(queries: Queries, keyring: Keyring, now: number): Promise<string | undefined> {
  const rival = await findKeyHolder(queries, { notOf: keyring.ids, seenSince: now - keyHeldMs });
  return rival && heldKey(rival);
}

/** Finds a running process that encrypts with the key `keyId`. */
export function findHolderOf(queries: Queries, keyId: string, now: number): Promise<KeyHolder | undefined> {
  return findKeyHolder(queries, { keyId, seenSince: now - keyHeldMs });
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
    `The encryption key ${id} is not the one that this database was used with. Restore the former key under that id in ` +
    'TOKEN_ENCRYPTION_KEYS (or the key file next to the database). A new key needs a new id.'
  );
}

function missingKey(id: string): string {
  return (
    `The database holds tokens that were encrypted with the key ${id}, which is missing. Add it again to ` +
    'TOKEN_ENCRYPTION_KEYS (after the first, if another key should encrypt), or restore the key file next to the ' +
    `database. If the key is lost, run: npm run foyer -- keys forget ${id}. It keeps every record; the tokens under ` +
    'that key are lost, and each workspace that they belong to has to install the app again.'
  );
}

function keyOnlyHere({ process }: KeyHolder, keyId: string): string {
  const [host, pid] = process.split(' ');
  return (
    `Another Foyer that runs on this database (process ${pid} on ${host}) does not have the key ${keyId}. It could ` +
    'not read what this process encrypts with that key. First add the key at the end of ' +
    'TOKEN_ENCRYPTION_KEYS on every machine, and restart every Foyer. Then move the key to the front on every machine. ' +
    `If process ${pid} is gone, try again in ${keyHeldMs / 1000} seconds.`
  );
}

function heldKey({ process, keyId }: KeyHolder): string {
  const [host, pid] = process.split(' ');
  return (
    `Another Foyer that runs on this database (process ${pid} on ${host}) encrypts with the key ${keyId}, which is ` +
    `missing here: neither could read what the other stores. Set the same TOKEN_ENCRYPTION_KEYS, in the ` +
    'same order, for every Foyer on this database, or give this Foyer its own database. ' +
    `If that process is gone, start again in ${keyHeldMs / 1000} seconds.`
  );
}
