import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { WelcomeKey } from './read-welcome.ts';

/**
 * What became of a welcome that was being sent; `begun` is what `beginWelcome` recorded.
 * sent: it is there. not-sent: Slack surely did not act, so the next attempt may simply send. in-doubt: the call is
 * over, and may take effect until `settledBy`; the next attempt looks first. unconfirmed: nobody can find out.
 */
export type WelcomeEnd =
  | { kind: 'sent'; channelId: string; messageTs: string; now: number }
  | { kind: 'not-sent'; begun: { runId: string; now: number; settledBy: number } }
  | { kind: 'in-doubt'; begun: { runId: string; now: number; settledBy: number }; settledBy: number }
  | { kind: 'unconfirmed' };

const markSent = prepareQuery(
  (queries, given: Given<WelcomeKey & { channelId: string; messageTs: string; now: number }>) =>
    queries
      .updateTable('welcomes')
      .set({
        status: 'sent',
        channel_id: given.channelId,
        message_ts: given.messageTs,
        sent_at: given.now,
      })
      .where('installation_id', '=', given.installationId)
      .where('life', '=', given.life)
      .where('user_id', '=', given.userId)
      .where('status', '!=', 'sent'),
);

/**
 * Records what became of a welcome, whoever holds the run by now: that a message was sent stays true even if its run
 * was cancelled in the meantime.
 */
export async function settleWelcome(transaction: Queries, key: WelcomeKey, end: WelcomeEnd): Promise<void> {
  if (end.kind === 'sent') {
    const { channelId, messageTs, now } = end;
    await markSent(transaction, { ...key, channelId, messageTs, now });
    return;
  }
  const sending = transaction
    .updateTable('welcomes')
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId)
    .where('status', '!=', 'sent');
  if (end.kind === 'unconfirmed') {
    await sending.set({ status: 'unconfirmed' }).execute();
  } else {
    // Only the first send leaves nothing behind: after a later one, an earlier may still turn up.
    if (end.kind === 'not-sent') await forgetFirstSend(transaction, key, end.begun);
    const settledBy = end.kind === 'in-doubt' ? end.settledBy : end.begun.now;
    await sending
      .set({ sent_at: settledBy })
      .where('run_id', '=', end.begun.runId)
      .where('sent_at', '=', end.begun.settledBy)
      .execute();
  }
}

async function forgetFirstSend(
  transaction: Queries,
  key: WelcomeKey,
  begun: { runId: string; now: number; settledBy: number },
): Promise<void> {
  await transaction
    .deleteFrom('welcomes')
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId)
    .where('status', '=', 'sending')
    .where('run_id', '=', begun.runId)
    .where('attempted_at', '=', begun.now)
    .where('sent_at', '=', begun.settledBy)
    .execute();
}
