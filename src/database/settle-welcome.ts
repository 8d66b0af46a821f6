import type { Queries } from './database.ts';
import type { WelcomeKey } from './read-welcome.ts';

/**
 * What became of a welcome that was being sent.
 * sent: it is there. not-sent: Slack surely did not act, so the next attempt may simply send. in-doubt: the call is
 * over, and nobody knows; the next attempt looks first. unconfirmed: nobody can find out.
 */
export type WelcomeEnd =
  | { kind: 'sent'; channelId: string; messageTs: string; now: number }
  | { kind: 'not-sent' | 'in-doubt'; runId: string; sentOffAt: number }
  | { kind: 'unconfirmed' };

/**
 * Records what became of a welcome, whoever holds the run by now: that a message was sent stays true even if its run
 * was cancelled in the meantime.
 */
export async function settleWelcome(transaction: Queries, key: WelcomeKey, end: WelcomeEnd): Promise<void> {
  const welcome = transaction
    .updateTable('welcomes')
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId);
  switch (end.kind) {
    case 'sent':
      await welcome
        .set({ status: 'sent', channel_id: end.channelId, message_ts: end.messageTs, sent_at: end.now })
        .execute();
      return;
    case 'unconfirmed':
      await welcome.set({ status: 'unconfirmed' }).where('status', '=', 'sending').execute();
      return;
    case 'not-sent':
      await forgetFirstSend(transaction, key, end);
  }
  await welcome
    .set({ sent_at: null })
    .where('status', '=', 'sending')
    .where('run_id', '=', end.runId)
    .where('sent_at', '=', end.sentOffAt)
    .execute();
}

/** Only the first send leaves nothing behind: after a later one, an earlier may still turn up. */
async function forgetFirstSend(
  transaction: Queries,
  key: WelcomeKey,
  end: { runId: string; sentOffAt: number },
): Promise<void> {
  await transaction
    .deleteFrom('welcomes')
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId)
    .where('status', '=', 'sending')
    .where('run_id', '=', end.runId)
    .where('attempted_at', '=', end.sentOffAt)
    .where('sent_at', '=', end.sentOffAt)
    .execute();
}
