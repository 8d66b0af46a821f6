import type { Queries } from '../database.ts';

/**
 * Records a key id with its sealed check, and returns the check that holds: the one that was recorded first.
 */
export async function recordEncryptionKey(
  transaction: Queries,
  key: { id: string; sealedCheck: string; now: number },
): Promise<string> {
  await transaction
    .insertInto('encryption_keys')
    .values({ id: key.id, sealed_check: key.sealedCheck, created_at: key.now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  const row = await transaction
    .selectFrom('encryption_keys')
    .select('sealed_check')
    .where('id', '=', key.id)
    .executeTakeFirstOrThrow();
  return row.sealed_check;
}

/** Forgets the keys that are no longer in use, and that nothing is sealed with. */
export async function forgetEncryptionKeys(
  transaction: Queries,
  keys: { except: readonly string[] },
): Promise<void> {
  await transaction.deleteFrom('encryption_keys').where('id', 'not in', keys.except).execute();
}
