import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { WelcomeRow } from '../records.ts';
import type { WelcomeKey } from './read-welcome.ts';

/** The first that is sent to somebody in a life of their installation. */
const insertWelcome = prepareQuery(
  (
    queries,
    given: Given<WelcomeKey & { runId: string; channelId: string | null; now: number; settledBy: number }>,
  ) =>
    queries
      .insertInto('welcomes')
      .values({
        installation_id: given.installationId,
        life: given.life,
        user_id: given.userId,
        run_id: given.runId,
        status: 'sending',
        channel_id: given.channelId,
        message_ts: null,
        attempted_at: given.now,
        sent_at: given.settledBy,
      })
      .onConflict((conflict) => conflict.columns(['installation_id', 'life', 'user_id']).doNothing())
      .returning('run_id'),
);

/**
 * Records that a welcome is being sent, committed before Slack is asked: what is not recorded was not sent
 * (invariant 3). From `settledBy` on the call can no longer take effect unseen. `previous` is the row that the caller has
 * read and judged, or undefined for none. False when somebody else has changed it since: then nothing may be sent.
 */
export async function beginWelcome(
  transaction: Queries,
  key: WelcomeKey,
  sending: {
    runId: string;
    channelId: string | null;
    now: number;
    settledBy: number;
    previous: WelcomeRow | undefined;
  },
): Promise<boolean> {
  const { previous } = sending;
  if (previous === undefined) {
    const { runId, channelId, now, settledBy } = sending;
    const { rows } = await insertWelcome(transaction, { ...key, runId, channelId, now, settledBy });
    return rows.length > 0;
  }
  const begun = await transaction
    .updateTable('welcomes')
    .set({
      run_id: sending.runId,
      status: 'sending',
      channel_id: sending.channelId,
      sent_at: sending.settledBy,
    })
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId)
    .where('status', '=', previous.status)
    .where('run_id', '=', previous.run_id)
    .where('attempted_at', '=', previous.attempted_at)
    .where('sent_at', previous.sent_at === null ? 'is' : '=', previous.sent_at)
    .returning('run_id')
    .executeTakeFirst();
  return begun !== undefined;
}
