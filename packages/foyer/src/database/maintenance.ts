import type { Queries, Tx } from './database.ts';

/** Pauses the installs of an app, on every machine. Returns when the pause began. */
export async function beginMaintenance(
  tx: Tx,
  { clientId, now }: { clientId: string; now: number },
): Promise<number> {
  await tx
    .insertInto('maintenance')
    .values({ client_id: clientId, began_at: now })
    .onConflict((conflict) => conflict.column('client_id').doNothing())
    .execute();
  return (await readMaintenance(tx, clientId)) ?? now;
}

/** Ends the pause of an app's installs; returns whether they were paused. */
export async function endMaintenance(tx: Tx, clientId: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('maintenance')
    .where('client_id', '=', clientId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** When the current pause of an app's installs began, in milliseconds since 1970; undefined if they are not paused. */
export async function readMaintenance(queries: Queries, clientId: string): Promise<number | undefined> {
  const row = await queries
    .selectFrom('maintenance')
    .select('began_at')
    .where('client_id', '=', clientId)
    .executeTakeFirst();
  return row?.began_at;
}
