import type { WebClient } from '@slack/web-api';
import type { Database } from '../database/database.ts';
import {
  beginPost,
  forgetPost,
  keepPostSearch,
  type PostKey,
  readPost,
  settlePost,
} from '../database/posts.ts';
import type { PostRow } from '../database/records.ts';
import { defaultTimeoutMs } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { peekHistory, type SearchResult, searchHistory } from './search-history.ts';
import {
  type OnceMessage,
  type PostedMessage,
  retryIn,
  type StepContext,
  type StepEnd,
  StepError,
  unconfirmed,
} from './step.ts';

/**
 * Thrown by `postOnce` to end the attempt: it waits until a call that was begun has settled, or the message stays
 * unconfirmed. A step lets it pass.
 */
export class AttemptEnded extends Error {
  override readonly name = 'AttemptEnded';
  readonly end: StepEnd;
  constructor(end: StepEnd) {
    super('postOnce ends this attempt: let this error pass');
    this.end = end;
  }
}

/** The event type in the metadata of each message that is posted once. */
const postEventType = 'foyer_post';

/** How long after its start, or after Slack's answer, a call can no longer take effect unseen. */
const settledAfterMs = defaultTimeoutMs + 2000;
const settledAfterAnswerMs = 2000;

/**
 * Posts a message exactly once for its key in this life of the installation, over crashes and retries: the attempt is
 * committed before Slack is asked. One whose outcome is unknown is looked for in the channel's history before it is sent
 * again; if that cannot be read, the step ends as unconfirmed and only a person sends it again.
 * @throws AttemptEnded, StepError, and what Slack's client throws
 */
export async function postOnce(
  context: Omit<StepContext, 'postOnce'>,
  database: Database,
  key: string,
  message: OnceMessage,
): Promise<PostedMessage> {
  if (typeof key !== 'string' || key === '' || key.length > 200) {
    throw new StepError('invalid_key', 'postOnce needs a key of 1 to 200 characters', { final: true });
  }
  const post: PostKey = { installationId: context.installationId, life: context.life, key };
  const previous = await readPost(database.queries, post);
  if (previous?.status === 'sent') return messageOf(previous);
  const slack = await context.slack();
  const channelId = previous?.channel_id ?? (await openChannel(context, slack, message));
  if (previous) {
    const found = await settleDoubt(context, database, slack, post, { ...previous, channel_id: channelId });
    if (found) return found;
  }
  context.signal.throwIfAborted();
  const now = context.now();
  const sending = { runId: context.runId, channelId, now, settledBy: now + settledAfterMs, previous };
  if (!(await database.write((tx) => beginPost(tx, post, sending)))) throw new AttemptEnded(retryIn(1000));
  try {
    const posted = await slack.chat.postMessage({
      channel: channelId ?? message.channel ?? context.userId,
      text: message.text,
      ...(message.blocks && { blocks: [...message.blocks] }),
      metadata: {
        event_type: postEventType,
        event_payload: { installation_id: post.installationId, life: post.life, key },
      },
    });
    if (!posted.channel || !posted.ts) throw new Error('Slack’s answer names no message');
    return await settleSent(context, database, post, { channelId: posted.channel, messageTs: posted.ts });
  } catch (error) {
    const failure = slackFailure(error);
    // Without an answer the call may still take effect, as the record says already.
    if (failure && failure.code !== 'timeout') {
      const until = Math.min(sending.settledBy, context.now() + settledAfterAnswerMs);
      await database.write((tx) =>
        previous || failure.mayHaveActed
          ? settlePost(tx, post, { status: 'sending', until: failure.mayHaveActed ? until : now })
          : forgetPost(tx, post),
      );
    }
    throw error;
  }
}

function messageOf(row: PostRow): PostedMessage {
  return { channelId: row.channel_id ?? '', messageTs: row.message_ts ?? '' };
}

async function settleSent(
  context: Pick<StepContext, 'now'>,
  database: Database,
  post: PostKey,
  at: PostedMessage,
): Promise<PostedMessage> {
  await database.write((tx) => settlePost(tx, post, { status: 'sent', ...at, now: context.now() }));
  return at;
}

/** Null if a DM cannot be opened: a message to a person's id needs no open one. */
async function openChannel(
  context: Pick<StepContext, 'botScopes' | 'workspaceId' | 'userId'>,
  slack: WebClient,
  message: OnceMessage,
): Promise<string | null> {
  const channel = message.channel ?? context.userId;
  if (!/^[UW]/.test(channel)) return channel;
  if (!context.botScopes?.includes('im:write')) return null;
  const place = context.workspaceId === null ? {} : { team_id: context.workspaceId };
  return (await slack.conversations.open({ users: channel, ...place })).channel?.id ?? null;
}

/** Looks for a message whose sending ended without a clear answer. Undefined: it is not there, and may be sent. */
async function settleDoubt(
  context: Omit<StepContext, 'postOnce'>,
  database: Database,
  slack: WebClient,
  post: PostKey,
  row: PostRow,
): Promise<PostedMessage | undefined> {
  const restMs = row.status === 'sending' ? (row.sent_at ?? 0) - context.now() : 0;
  const found = await search(database, slack, post, row, restMs > 0);
  if (found.kind === 'found') return settleSent(context, database, post, found);
  if (restMs > 0) throw new AttemptEnded(retryIn(Math.min(restMs, 1000)));
  if (found.kind === 'absent') return undefined;
  await database.write((tx) => settlePost(tx, post, { status: 'unconfirmed' }));
  throw new AttemptEnded(
    unconfirmed(found.code, 'The message may have arrived, and its channel’s history cannot be searched'),
  );
}

async function search(
  database: Database,
  slack: WebClient,
  post: PostKey,
  row: PostRow,
  mayStillArrive: boolean,
): Promise<SearchResult> {
  const { channel_id: channel, attempted_at: from, search_before: before, search_calls: calls } = row;
  if (channel === null) return { kind: 'unsearchable', code: 'channel_unknown' };
  const until = row.sent_at ?? from;
  const matches = (metadata: Parameters<typeof isPost>[0]) => isPost(metadata, post);
  const wanted = { channel, from, until, before, calls, matches };
  if (mayStillArrive) return peekHistory(slack, wanted);
  return searchHistory(slack, wanted, (position) =>
    database.write((tx) => keepPostSearch(tx, post, position)),
  );
}

function isPost(
  metadata: { event_type?: string; event_payload?: unknown } | undefined,
  post: PostKey,
): boolean {
  const payload = metadata?.event_payload;
  if (metadata?.event_type !== postEventType || typeof payload !== 'object' || payload === null) return false;
  const { installation_id: id, life, key } = payload as Record<string, unknown>;
  return id === post.installationId && Number(life) === post.life && key === post.key;
}
