import type { Queries } from './database.ts';

/**
 * Claims deliveries from Slack, and returns the keys that no process had claimed before. Does not use `write`, because
 * on Postgres each `write` changes `changeMark`, and every cache then reads its data again. So a claim that fails is
 * not retried.
 */
export async function claimDeliveries(
  queries: Queries,
  { clientId, keys, now }: { clientId: string; keys: readonly string[]; now: number },
): Promise<string[]> {
  // Sorted: two processes that insert the same keys in different orders can deadlock.
  const sorted = [...new Set(keys)].sort();
  const claimed = await queries
    .insertInto('seen_deliveries')
    .values(sorted.map((key) => ({ client_id: clientId, key, seen_at: now })))
    .onConflict((conflict) => conflict.columns(['client_id', 'key']).doNothing())
    .returning('key')
    .execute();
  return claimed.map(({ key }) => key);
}

/** Deletes the claim to a delivery, so that a process can claim it again. */
export async function forgetDelivery(
  queries: Queries,
  { clientId, key }: { clientId: string; key: string },
): Promise<void> {
  await queries
    .deleteFrom('seen_deliveries')
    .where('client_id', '=', clientId)
    .where('key', '=', key)
    .execute();
}

/** Deletes at most `limit` deliveries that were claimed before `before`; returns how many it deleted. */
export async function sweepDeliveries(
  queries: Queries,
  { clientId, before, limit }: { clientId: string; before: number; limit: number },
): Promise<number> {
  const old = queries
    .selectFrom('seen_deliveries')
    .select('key')
    .where('client_id', '=', clientId)
    .where('seen_at', '<', before)
    .orderBy('seen_at')
    .limit(limit);
  const { numDeletedRows } = await queries
    .deleteFrom('seen_deliveries')
    .where('client_id', '=', clientId)
    .where('key', 'in', old)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
