import type { Queries, Tx } from './database.ts';

/** A process whose clock is behind accepts a session a little longer. */
const graceMs = 3_600_000;

/**
 * Ends a session before it expires, for every process; ending it again is no error. Deletes sessions that expired long
 * ago, so that the table stays as small as half a day's logouts.
 */
export async function endOperatorSession(
  tx: Tx,
  session: { id: string; lapsesAt: number; now: number },
): Promise<void> {
  const { id, lapsesAt, now } = session;
  await tx
    .deleteFrom('ended_sessions')
    .where('lapses_at', '<', now - graceMs)
    .execute();
  await tx
    .insertInto('ended_sessions')
    .values({ id, lapses_at: lapsesAt })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** Whether any process ended the session before it expired. */
export async function isOperatorSessionEnded(queries: Queries, id: string): Promise<boolean> {
  const row = await queries.selectFrom('ended_sessions').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}
