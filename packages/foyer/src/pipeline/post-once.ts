import type { WebClient } from '@slack/web-api';
import type { Database } from '../database/database.ts';
import { beginPost, forgetPost, type PostKey, readPost, settlePost } from '../database/posts.ts';
import type { PostRow } from '../database/records.ts';
import { defaultTimeoutMs } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
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
/** A message's time is Slack's and the attempt's is ours: the search begins and ends so much outside. */
const clockSlackMs = 60_000;
/** Slack's tightest history limit gives 15 messages a page. */
const pageSize = 15;
const mostPages = 10;

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
  const found = await search(slack, post, row);
  if (typeof found === 'object') return settleSent(context, database, post, found);
  const restMs = row.status === 'sending' ? (row.sent_at ?? 0) - context.now() : 0;
  if (restMs > 0) throw new AttemptEnded(retryIn(Math.min(restMs, 1000)));
  if (found === 'absent') return undefined;
  await database.write((tx) => settlePost(tx, post, { status: 'unconfirmed' }));
  throw new AttemptEnded(
    unconfirmed(found, 'The message may have arrived, and its channel’s history cannot be searched'),
  );
}

/** The message; `absent`; or why the history cannot be searched, by name. Failures that may pass are thrown. */
async function search(slack: WebClient, post: PostKey, row: PostRow): Promise<PostedMessage | string> {
  if (row.channel_id === null) return 'channel_unknown';
  const channel = row.channel_id;
  const oldest = String(Math.max(0, row.attempted_at - clockSlackMs) / 1000);
  const latest = String(((row.sent_at ?? row.attempted_at) + clockSlackMs) / 1000);
  let cursor: string | undefined;
  try {
    for (let page = 0; page < mostPages; page += 1) {
      const window = { channel, oldest, latest, limit: pageSize, include_all_metadata: true };
      const history = await slack.conversations.history({ ...window, ...(cursor && { cursor }) });
      const found = history.messages?.find(({ metadata }) => isPost(metadata, post));
      if (found?.ts) return { channelId: channel, messageTs: found.ts };
      cursor = history.response_metadata?.next_cursor || undefined;
      if (cursor === undefined) return 'absent';
    }
    return 'history_too_long';
  } catch (error) {
    const failure = slackFailure(error);
    if (failure?.kind !== 'refused') throw error;
    return failure.code;
  }
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
