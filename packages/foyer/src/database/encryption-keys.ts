import type { Queries, Tx } from './database.ts';
import { recordChore } from './last-backup.ts';

/**
 * Waits until no other process is checking its keys against the record, and blocks other processes until the
 * transaction ends. Why: if two processes with different keys started at the same time on a new database, both would
 * find an empty record and begin to encrypt.
 */
export async function lockKeyRecord(transaction: Tx, now: number): Promise<void> {
  await recordChore(transaction, 'check the encryption keys', now);
}

/**
 * Records a key id as in use, with a known text that is sealed with the key. Returns the sealed text that was recorded
 * first for this id, which is the only valid one.
 */
export async function recordEncryptionKey(
  transaction: Tx,
  key: { id: string; sealedCheck: string; now: number },
): Promise<string> {
  await transaction
    .insertInto('encryption_keys')
    .values({ id: key.id, sealed_check: key.sealedCheck, created_at: key.now })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ retired_at: null })
        .where('encryption_keys.retired_at', 'is not', null),
    )
    .execute();
  const row = await transaction
    .selectFrom('encryption_keys')
    .select('sealed_check')
    .where('id', '=', key.id)
    .executeTakeFirstOrThrow();
  return row.sealed_check;
}

/**
 * Retires every key that is not in `except`, because it is no longer in the configuration. Retired keys stay in the
 * record until `deleteEncryptionKey` deletes them.
 */
export async function retireEncryptionKeys(
  transaction: Tx,
  keys: { except: readonly string[]; now: number },
): Promise<void> {
  await transaction
    .updateTable('encryption_keys')
    .set({ retired_at: keys.now })
    .where('id', 'not in', keys.except)
    .where('retired_at', 'is', null)
    .execute();
}

/** Deletes from the record a key that the operator has lost. */
export async function deleteEncryptionKey(transaction: Tx, id: string): Promise<void> {
  await transaction.deleteFrom('encryption_keys').where('id', '=', id).execute();
}

/** Lists the ids of the keys in use, in the order in which they were recorded. Omits retired keys. */
export async function listKeyIds(queries: Queries): Promise<string[]> {
  const rows = await queries
    .selectFrom('encryption_keys')
    .select('id')
    .where('retired_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => row.id);
}

/** A running process, and the key that it encrypts with. */
export interface KeyHolder {
  /** `host pid random`. */
  process: string;
  keyId: string;
}

/**
 * Records that a process is running and encrypts with a key. Deletes the records of processes that were last seen more
 * than a day ago.
 */
export async function holdKey(transaction: Tx, holder: KeyHolder & { now: number }): Promise<void> {
  const { process, keyId, now } = holder;
  const seen = { key_id: keyId, seen_at: now };
  await transaction
    .insertInto('key_holders')
    .values({ process, ...seen })
    .onConflict((conflict) => conflict.column('process').doUpdateSet(seen))
    .execute();
  await transaction
    .deleteFrom('key_holders')
    .where('seen_at', '<', now - 24 * 3_600_000)
    .execute();
}

/** Records that a process no longer encrypts. */
export async function letGoOfKey(transaction: Tx, process: string): Promise<void> {
  await transaction.deleteFrom('key_holders').where('process', '=', process).execute();
}

/** Whether `holdKey` has recorded this process in this database, and the record still exists. */
export async function isKeyHolder(queries: Queries, process: string): Promise<boolean> {
  const row = await queries
    .selectFrom('key_holders')
    .select('process')
    .where('process', '=', process)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Finds a process that was seen at or after `seenSince`. `search` has one more condition: `keyId` (the process encrypts
 * with this key), `notOf` (it encrypts with a key that is not in this list) or `otherThan` (it is not this process).
 */
export async function findKeyHolder(
  queries: Queries,
  search: { seenSince: number } & ({ keyId: string } | { notOf: readonly string[] } | { otherThan: string }),
): Promise<KeyHolder | undefined> {
  return queries
    .selectFrom('key_holders')
    .select(['process', 'key_id as keyId'])
    .where('seen_at', '>=', search.seenSince)
    .where((eb) => {
      if ('otherThan' in search) return eb('process', '!=', search.otherThan);
      return 'keyId' in search ? eb('key_id', '=', search.keyId) : eb('key_id', 'not in', search.notOf);
    })
    .orderBy('process')
    .limit(1)
    .executeTakeFirst();
}
