import type { Queries, Tx } from './database.ts';
import type { WelcomeRow } from './records.ts';

/** Whose welcome: one person in one life of an installation. */
export interface WelcomeKey {
  installationId: string;
  life: number;
  userId: string;
}

/** A message that is sent again is looked for from the start. */
export const searchStart = { search_before: null, search_calls: 0 };

/** Reads a person's welcome, or undefined when none was ever begun. */
export async function readWelcome(queries: Queries, key: WelcomeKey): Promise<WelcomeRow | undefined> {
  return queries
    .selectFrom('welcomes')
    .selectAll()
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId)
    .executeTakeFirst();
}

/**
 * Records that a welcome is being sent, committed before Slack is asked: what is not recorded was not sent
 * (invariant 3). From `settledBy` on the call can no longer take effect unseen. `previous` is the row that the caller has
 * read and judged, or undefined for none. False when somebody else has changed it since: then nothing may be sent.
 */
export async function beginWelcome(
  tx: Tx,
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
    const inserted = await tx
      .insertInto('welcomes')
      .values({
        installation_id: key.installationId,
        life: key.life,
        user_id: key.userId,
        run_id: runId,
        status: 'sending',
        channel_id: channelId,
        message_ts: null,
        attempted_at: now,
        sent_at: settledBy,
        ...searchStart,
      })
      .onConflict((conflict) => conflict.columns(['installation_id', 'life', 'user_id']).doNothing())
      .returning('run_id')
      .executeTakeFirst();
    return inserted !== undefined;
  }
  const begun = await tx
    .updateTable('welcomes')
    .set({
      run_id: sending.runId,
      status: 'sending',
      channel_id: sending.channelId,
      sent_at: sending.settledBy,
      ...searchStart,
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

/**
 * Records what became of a welcome, whoever holds the run by now: that a message was sent stays true even if its run
 * was cancelled in the meantime.
 */
export async function settleWelcome(tx: Tx, key: WelcomeKey, end: WelcomeEnd): Promise<void> {
  const sending = tx
    .updateTable('welcomes')
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId)
    .where('status', '!=', 'sent');
  if (end.kind === 'sent') {
    const { channelId, messageTs, now } = end;
    const sent = { status: 'sent' as const, channel_id: channelId, message_ts: messageTs, sent_at: now };
    await sending.set(sent).execute();
  } else if (end.kind === 'unconfirmed') {
    await sending.set({ status: 'unconfirmed' }).execute();
  } else {
    // Only the first send leaves nothing behind: after a later one, an earlier may still turn up.
    if (end.kind === 'not-sent') await forgetFirstSend(tx, key, end.begun);
    const settledBy = end.kind === 'in-doubt' ? end.settledBy : end.begun.now;
    await sending
      .set({ sent_at: settledBy })
      .where('run_id', '=', end.begun.runId)
      .where('sent_at', '=', end.begun.settledBy)
      .execute();
  }
}

async function forgetFirstSend(
  tx: Tx,
  key: WelcomeKey,
  begun: { runId: string; now: number; settledBy: number },
): Promise<void> {
  await tx
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

/** Keeps how far the search for a welcome in doubt is. */
export async function keepWelcomeSearch(
  tx: Tx,
  key: WelcomeKey,
  position: { before: string | null; calls: number },
): Promise<void> {
  await tx
    .updateTable('welcomes')
    .set({ search_before: position.before, search_calls: position.calls })
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId)
    .where('status', '!=', 'sent')
    .execute();
}
