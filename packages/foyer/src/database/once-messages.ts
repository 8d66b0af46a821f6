import type { Queries, Tx } from './database.ts';
import type { OnceMessageRow } from './records.ts';

/**
 * The messages that are sent once per life of an installation (invariant 3): welcomes, and the messages that steps post
 * with `postOnce` under a key.
 *
 * Why two tables: during a rolling update, an older Foyer next to this one still writes `welcomes`. The tables differ
 * in the name of one column.
 */
const ledgers = {
  post: { table: 'posts', column: 'key' },
  welcome: { table: 'welcomes', column: 'user_id' },
} as const;

/** Identifies a message that Foyer sends only once in one life of an installation. */
export interface OnceMessageKey {
  kind: keyof typeof ledgers;
  installationId: string;
  life: number;
  /** A step's key; for a welcome, the user's id. */
  key: string;
}

/**
 * The table and column of a message, and the row's key. The cast gives both tables the types of `posts`, because the
 * tables differ only in the name of one column.
 */
function ledgerOf({ kind, installationId, life, key }: OnceMessageKey) {
  const { table, column } = ledgers[kind] as { table: 'posts'; column: 'key' };
  return { table, column, row: { installation_id: installationId, life, [column]: key } };
}

/** Reads the record of a message; undefined if no attempt to send the message was ever recorded. */
export async function readOnceMessage(
  queries: Queries,
  message: OnceMessageKey,
): Promise<OnceMessageRow | undefined> {
  const { table, row } = ledgerOf(message);
  return queries
    .selectFrom(table)
    .selectAll()
    .where((eb) => eb.and(row))
    .executeTakeFirst();
}

/**
 * A call to Slack that sends a message. If Slack has not carried it out when `settledBy` is reached, Slack never will.
 */
interface OnceMessageCall {
  runId: string;
  now: number;
  settledBy: number;
}

/**
 * Records that a message is being sent. Commit this record before the call to Slack, because a message without a row
 * counts as not sent. `previous` is the row that the caller read before it decided to send. Returns false if another
 * process has changed the row after that read. The caller must then not send.
 */
export async function beginOnceMessage(
  tx: Tx,
  message: OnceMessageKey,
  call: OnceMessageCall & { channelId: string | null; previous: OnceMessageRow | undefined },
): Promise<boolean> {
  const { table, column, row } = ledgerOf(message);
  const { previous } = call;
  const sending = {
    run_id: call.runId,
    status: 'sending' as const,
    channel_id: call.channelId,
    sent_at: call.settledBy,
    // After another send, the search for the message has to start from the beginning.
    search_before: null,
    search_calls: 0,
  };
  if (!previous) {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto(table)
      .values({ ...row, attempted_at: call.now, ...sending })
      .onConflict((conflict) => conflict.columns(['installation_id', 'life', column]).doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  }
  const { status, run_id, attempted_at, sent_at } = previous;
  const { numUpdatedRows } = await tx
    .updateTable(table)
    .set(sending)
    .where((eb) => eb.and(row))
    .where((eb) => eb.and({ status, run_id, attempted_at, sent_at }))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * The outcome of sending a message.
 * - sent: it arrived.
 * - not-sent: Slack certainly did not act on `call`, so the next attempt may send without a search.
 * - in-doubt: Foyer gave up on `call`, but Slack may carry it out until `settledBy`; the next attempt searches before
 *   it sends.
 * - unconfirmed: Foyer cannot find out whether it arrived.
 */
type OnceMessageEnd =
  | { kind: 'sent'; channelId: string; messageTs: string; now: number }
  | { kind: 'not-sent'; call: OnceMessageCall }
  | { kind: 'in-doubt'; call: OnceMessageCall; settledBy: number }
  | { kind: 'unconfirmed' };

/**
 * Records the outcome of sending a message. Does so even if the run has been canceled in the meantime, or another
 * worker has taken it over, because the message may still have been sent. A sent message stays sent. The outcome of a
 * failed call changes the row only if no newer call has started.
 */
export async function settleOnceMessage(tx: Tx, message: OnceMessageKey, end: OnceMessageEnd): Promise<void> {
  const { table, row } = ledgerOf(message);
  const unsent = tx
    .updateTable(table)
    .where((eb) => eb.and(row))
    .where('status', '!=', 'sent');
  if (end.kind === 'sent') {
    const { channelId, messageTs, now } = end;
    const sent = { status: 'sent' as const, channel_id: channelId, message_ts: messageTs, sent_at: now };
    await unsent.set(sent).execute();
  } else if (end.kind === 'unconfirmed') {
    await unsent.set({ status: 'unconfirmed' }).execute();
  } else {
    const { runId: run_id, now: attempted_at, settledBy: sent_at } = end.call;
    if (end.kind === 'not-sent') {
      // Deletes the row only if there was no earlier call, because the message of an earlier call may still arrive.
      await tx
        .deleteFrom(table)
        .where((eb) => eb.and(row))
        .where((eb) => eb.and({ status: 'sending', run_id, attempted_at, sent_at }))
        .execute();
    }
    await unsent
      .set({ sent_at: end.kind === 'in-doubt' ? end.settledBy : attempted_at })
      .where((eb) => eb.and({ run_id, sent_at }))
      .execute();
  }
}

/** Stores the position of the search for a message in doubt (see `OnceMessageEnd`). */
export async function keepMessageSearch(
  tx: Tx,
  message: OnceMessageKey,
  position: { before: string | null; calls: number },
): Promise<void> {
  const { table, row } = ledgerOf(message);
  await tx
    .updateTable(table)
    .set({ search_before: position.before, search_calls: position.calls })
    .where((eb) => eb.and(row))
    .where('status', '!=', 'sent')
    .execute();
}

/** Forgets messages that steps posted, so that they are posted again. */
export async function forgetPosts(
  tx: Tx,
  posts: { installationId: string; life: number; keys: readonly string[] },
): Promise<void> {
  await tx
    .deleteFrom('posts')
    .where('installation_id', '=', posts.installationId)
    .where('life', '=', posts.life)
    .where('key', 'in', posts.keys)
    .execute();
}
