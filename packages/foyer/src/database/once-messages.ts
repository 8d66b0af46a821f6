import type { Queries, Tx } from './database.ts';
import type { OnceMessageRow } from './records.ts';

/**
 * The messages that are sent once per life of an installation (invariant 3): welcomes, and what steps post.
 *
 * Why two tables: during a rolling update, an older Foyer next to this one still writes `welcomes`. They differ in the
 * name of one column.
 */
const ledgers = {
  post: { table: 'posts', column: 'key' },
  welcome: { table: 'welcomes', column: 'user_id' },
} as const;

/** Identifies a message in one life of an installation: by a step's own key, or by the user of a welcome. */
export interface OnceMessageKey {
  kind: keyof typeof ledgers;
  installationId: string;
  life: number;
  /** A step's key; for a welcome, the user's id. */
  key: string;
}

/** Where the search starts for a message that is sent again. */
const searchStart = { search_before: null, search_calls: 0 };

/** The table and the column of a kind, typed as those of posts: the columns of both have the same types. */
function ledgerOf({ kind }: OnceMessageKey): { table: 'posts'; column: 'key' } {
  return ledgers[kind] as { table: 'posts'; column: 'key' };
}

/** Reads what is known about a message; returns undefined if no attempt to send it was ever recorded. */
export async function readOnceMessage(
  queries: Queries,
  message: OnceMessageKey,
): Promise<OnceMessageRow | undefined> {
  const { table, column } = ledgerOf(message);
  return queries
    .selectFrom(table)
    .selectAll()
    .where('installation_id', '=', message.installationId)
    .where('life', '=', message.life)
    .where(column, '=', message.key)
    .executeTakeFirst();
}

/** A call that sends a message. From `settledBy` on it can no longer take effect unseen. */
interface OnceMessageCall {
  runId: string;
  now: number;
  settledBy: number;
}

/**
 * Records that a message is being sent, committed before Slack is called: what is not recorded was not sent. `previous`
 * is the row that the caller has read and judged. Returns false if another process has changed it since: then nothing
 * may be sent.
 */
export async function beginOnceMessage(
  tx: Tx,
  message: OnceMessageKey,
  call: OnceMessageCall & { channelId: string | null; previous: OnceMessageRow | undefined },
): Promise<boolean> {
  const { table, column } = ledgerOf(message);
  const { installationId: installation_id, life, key } = message;
  const { previous } = call;
  const sending = {
    run_id: call.runId,
    status: 'sending' as const,
    channel_id: call.channelId,
    sent_at: call.settledBy,
    ...searchStart,
  };
  if (!previous) {
    const attempt = { message_ts: null, attempted_at: call.now };
    const inserted = await tx
      .insertInto(table)
      .values({ installation_id, life, [column]: key, ...attempt, ...sending })
      .onConflict((conflict) => conflict.columns(['installation_id', 'life', column]).doNothing())
      .returning('run_id')
      .executeTakeFirst();
    return inserted !== undefined;
  }
  const begun = await tx
    .updateTable(table)
    .set(sending)
    .where('installation_id', '=', installation_id)
    .where('life', '=', life)
    .where(column, '=', key)
    .where('status', '=', previous.status)
    .where('run_id', '=', previous.run_id)
    .where('attempted_at', '=', previous.attempted_at)
    .where('sent_at', previous.sent_at === null ? 'is' : '=', previous.sent_at)
    .returning('run_id')
    .executeTakeFirst();
  return begun !== undefined;
}

/**
 * The outcome of sending a message.
 * sent: it arrived. not-sent: Slack certainly did not act on `call`, so the next attempt may simply send. in-doubt:
 * `call` is over and may take effect until `settledBy`; the next attempt looks first. unconfirmed: no one can find out.
 */
type OnceMessageEnd =
  | { kind: 'sent'; channelId: string; messageTs: string; now: number }
  | { kind: 'not-sent'; call: OnceMessageCall }
  | { kind: 'in-doubt'; call: OnceMessageCall; settledBy: number }
  | { kind: 'unconfirmed' };

/**
 * Records the outcome of a message, even if the run was cancelled or belongs to another worker by then: the message was
 * still sent. A call that failed changes the row only if no newer call has started.
 */
export async function settleOnceMessage(tx: Tx, message: OnceMessageKey, end: OnceMessageEnd): Promise<void> {
  const { table, column } = ledgerOf(message);
  const unsent = tx
    .updateTable(table)
    .where('installation_id', '=', message.installationId)
    .where('life', '=', message.life)
    .where(column, '=', message.key)
    .where('status', '!=', 'sent');
  if (end.kind === 'sent') {
    const { channelId, messageTs, now } = end;
    const sent = { status: 'sent' as const, channel_id: channelId, message_ts: messageTs, sent_at: now };
    await unsent.set(sent).execute();
  } else if (end.kind === 'unconfirmed') {
    await unsent.set({ status: 'unconfirmed' }).execute();
  } else {
    // Only the row of a first call can be deleted: after a later one, the message of an earlier one may still arrive.
    if (end.kind === 'not-sent') await forgetFirstCall(tx, message, end.call);
    await unsent
      .set({ sent_at: end.kind === 'in-doubt' ? end.settledBy : end.call.now })
      .where('run_id', '=', end.call.runId)
      .where('sent_at', '=', end.call.settledBy)
      .execute();
  }
}

async function forgetFirstCall(tx: Tx, message: OnceMessageKey, call: OnceMessageCall): Promise<void> {
  const { table, column } = ledgerOf(message);
  await tx
    .deleteFrom(table)
    .where('installation_id', '=', message.installationId)
    .where('life', '=', message.life)
    .where(column, '=', message.key)
    .where('status', '=', 'sending')
    .where('run_id', '=', call.runId)
    .where('attempted_at', '=', call.now)
    .where('sent_at', '=', call.settledBy)
    .execute();
}

/** Stores how far the search for a message in doubt has come. */
export async function keepMessageSearch(
  tx: Tx,
  message: OnceMessageKey,
  position: { before: string | null; calls: number },
): Promise<void> {
  const { table, column } = ledgerOf(message);
  await tx
    .updateTable(table)
    .set({ search_before: position.before, search_calls: position.calls })
    .where('installation_id', '=', message.installationId)
    .where('life', '=', message.life)
    .where(column, '=', message.key)
    .where('status', '!=', 'sent')
    .execute();
}
