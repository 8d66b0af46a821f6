import type { Queries, Tx } from './database.ts';
import type { PostRow } from './records.ts';
import { searchStart } from './welcomes.ts';

/** Which message: a step's own key, in one life of an installation. */
export interface PostKey {
  installationId: string;
  life: number;
  key: string;
}

/** Reads what is known of a message, or undefined if it was never begun. */
export async function readPost(queries: Queries, post: PostKey): Promise<PostRow | undefined> {
  return queries
    .selectFrom('posts')
    .selectAll()
    .where('installation_id', '=', post.installationId)
    .where('life', '=', post.life)
    .where('key', '=', post.key)
    .executeTakeFirst();
}

/**
 * Records that a message is being sent: what is not recorded was not sent. `previous` is the row that the caller has
 * read and judged. Returns false if another process has changed it since: then nothing may be sent.
 */
export async function beginPost(
  tx: Tx,
  post: PostKey,
  sending: {
    runId: string;
    channelId: string | null;
    now: number;
    settledBy: number;
    previous: PostRow | undefined;
  },
): Promise<boolean> {
  const { runId, channelId, now, settledBy, previous } = sending;
  if (!previous) {
    const inserted = await tx
      .insertInto('posts')
      .values({
        installation_id: post.installationId,
        life: post.life,
        key: post.key,
        run_id: runId,
        status: 'sending',
        channel_id: channelId,
        message_ts: null,
        attempted_at: now,
        sent_at: settledBy,
        ...searchStart,
      })
      .onConflict((conflict) => conflict.columns(['installation_id', 'life', 'key']).doNothing())
      .returning('key')
      .executeTakeFirst();
    return inserted !== undefined;
  }
  const begun = await tx
    .updateTable('posts')
    .set({ run_id: runId, status: 'sending', channel_id: channelId, sent_at: settledBy, ...searchStart })
    .where('installation_id', '=', post.installationId)
    .where('life', '=', post.life)
    .where('key', '=', post.key)
    .where('status', '=', previous.status)
    .where('run_id', '=', previous.run_id)
    .where('sent_at', previous.sent_at === null ? 'is' : '=', previous.sent_at)
    .returning('key')
    .executeTakeFirst();
  return begun !== undefined;
}

/** What became of a message; `until` is when a call that got no clear answer can no longer take effect. */
export type PostEnd =
  | { status: 'sent'; channelId: string; messageTs: string; now: number }
  | { status: 'sending'; until: number }
  | { status: 'unconfirmed' };

/** Records what became of a message. One that was sent stays sent. */
export async function settlePost(tx: Tx, post: PostKey, end: PostEnd): Promise<void> {
  const values =
    end.status === 'sent'
      ? { status: end.status, channel_id: end.channelId, message_ts: end.messageTs, sent_at: end.now }
      : end.status === 'sending'
        ? { status: end.status, sent_at: end.until }
        : { status: end.status };
  await tx
    .updateTable('posts')
    .set(values)
    .where('installation_id', '=', post.installationId)
    .where('life', '=', post.life)
    .where('key', '=', post.key)
    .where('status', '!=', 'sent')
    .execute();
}

/** Forgets a message that was begun for the first time and that Slack surely did not post. */
export async function forgetPost(tx: Tx, post: PostKey): Promise<void> {
  await tx
    .deleteFrom('posts')
    .where('installation_id', '=', post.installationId)
    .where('life', '=', post.life)
    .where('key', '=', post.key)
    .where('status', '=', 'sending')
    .execute();
}

/** Keeps how far the search for a message in doubt is. */
export async function keepPostSearch(
  tx: Tx,
  post: PostKey,
  position: { before: string | null; calls: number },
): Promise<void> {
  await tx
    .updateTable('posts')
    .set({ search_before: position.before, search_calls: position.calls })
    .where('installation_id', '=', post.installationId)
    .where('life', '=', post.life)
    .where('key', '=', post.key)
    .where('status', '!=', 'sent')
    .execute();
}
