import type { Queries } from '../database.ts';
import type { WelcomeRow } from '../records.ts';
import type { WelcomeKey } from './read-welcome.ts';

/**
 * Records that a welcome is being sent, committed before Slack is asked: what is not recorded was not sent
 * (invariant 3). From `settledBy` on the call can no longer take effect unseen. `previous` is the row that the caller has read and judged, or undefined for none. False when somebody
 * else has changed it since: then nothing may be sent.
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
    const begun = await transaction
      .insertInto('welcomes')
      .values({
        installation_id: key.installationId,
        life: key.life,
        user_id: key.userId,
        run_id: sending.runId,
        status: 'sending',
        channel_id: sending.channelId,
        message_ts: null,
        attempted_at: sending.now,
        sent_at: sending.settledBy,
      })
      .onConflict((conflict) => conflict.columns(['installation_id', 'life', 'user_id']).doNothing())
      .returning('run_id')
      .executeTakeFirst();
    return begun !== undefined;
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
