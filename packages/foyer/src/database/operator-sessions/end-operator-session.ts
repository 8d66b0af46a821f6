import type { Queries } from '../database.ts';

/** A process whose clock is behind takes a session for good a little longer. */
const graceMs = 3_600_000;

/**
 * Ends a session before its time, for every process; ending it again is no fault. Forgets those whose time is long
 * over, so that the table stays as small as half a day's logouts.
 */
export async function endOperatorSession(
  transaction: Queries,
  session: { id: string; lapsesAt: number; now: number },
): Promise<void> {
  const { id, lapsesAt, now } = session;
  await transaction
    .deleteFrom('ended_sessions')
    .where('lapses_at', '<', now - graceMs)
    .execute();
  await transaction
    .insertInto('ended_sessions')
    .values({ id, lapses_at: lapsesAt })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
