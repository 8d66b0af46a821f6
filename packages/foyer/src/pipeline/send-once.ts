import type { KnownBlock, WebClient } from '@slack/web-api';
import {
  beginOnceMessage,
  keepMessageSearch,
  type OnceMessageKey,
  readOnceMessage,
  settleOnceMessage,
} from '../database/once-messages.ts';
import type { OnceMessageRow } from '../database/records.ts';
import { defaultTimeoutMs, slackFailure, UnreadableAnswerError } from '../slack/slack-failure.ts';
import { visibleValue } from '../slack/slack-text.ts';
import { type HistorySearch, peekHistory, type SearchResult, searchHistory } from './search-history.ts';
import {
  isWritten,
  type OnceMessage,
  type PostedMessage,
  retryIn,
  type StepContext,
  type StepEnd,
  StepError,
  unconfirmed,
  type Written,
  withWrite,
} from './step.ts';

/** An unanswered call may still post its message this long after its start: the time limit of the call plus 2 s. */
const settledAfterMs = defaultTimeoutMs + 2000;
/** A call may still post its message this long after Slack has answered the call or closed the connection. */
const settledAfterAnswerMs = 2000;

/** The context of the step that sends the message. */
type SendContext = Omit<StepContext, 'postOnce'>;

interface OnceSend {
  key: OnceMessageKey;
  /** The row of an earlier attempt, which may or may not have sent the message; undefined if there was no attempt. */
  previous: OnceMessageRow | undefined;
  /** A channel's id, or a user's id for a DM. */
  to: string;
  /** A search recognizes the message by this metadata: its installation, its life and, if there is one, its key. */
  metadata: {
    event_type: string;
    event_payload: { installation_id: string; life: number; key?: string; run_id?: string };
  };
  content(): { text: string; blocks?: KnownBlock[] };
}

/**
 * Sends a message exactly once per key between install and uninstall, across crashes and retries (invariant 3).
 *
 * Foyer commits an attempt before it calls `chat.postMessage`, and makes only one attempt per message at a time. If the
 * outcome of an attempt is unknown, Foyer looks for the message in the channel's history before it sends the message
 * again. If that history cannot be read, the step ends as unconfirmed, and only a person can retry it.
 *
 * If the message is sent, returns its channel and timestamp, with a function that stores both. Otherwise returns how
 * the step ends.
 * @throws the errors of Slack's client
 */
export async function sendOnce(
  context: SendContext,
  send: OnceSend,
): Promise<Written<PostedMessage> | StepEnd> {
  const { database } = context.services;
  const { key, previous } = send;
  const slack = await context.slack();
  const channelId = previous?.channel_id ?? (await openChannel(context, slack, send.to));
  if (previous) {
    const settled = await settleDoubt(context, slack, send, { ...previous, channel_id: channelId });
    if (settled) return settled;
  }
  const content = send.content();
  const now = context.now();
  const call = { runId: context.runId, now, settledBy: now + settledAfterMs };
  context.signal.throwIfAborted();
  const isOurs = await database.write((tx) => beginOnceMessage(tx, key, { ...call, channelId, previous }));
  if (!isOurs) return retryIn(1000);
  try {
    const { metadata } = send;
    const { channel, ts } = await slack.chat.postMessage({
      channel: channelId ?? send.to,
      ...content,
      metadata,
    });
    const messageTs = visibleValue(ts);
    const sentTo = visibleValue(channel) ?? channelId;
    if (messageTs === null || sentTo === null) throw new UnreadableAnswerError('chat.postMessage');
    return recordSent(context, key, { channelId: sentTo, messageTs });
  } catch (error) {
    const failure = slackFailure(error);
    // After a timeout, Slack may still post the message. The row already contains the time until which that can happen.
    if (failure && failure.code !== 'timeout') {
      const settledBy = Math.min(call.settledBy, context.now() + settledAfterAnswerMs);
      await database.write((tx) =>
        settleOnceMessage(
          tx,
          key,
          failure.mayHaveActed ? { kind: 'in-doubt', call, settledBy } : { kind: 'not-sent', call },
        ),
      );
    }
    throw error;
  }
}

function recordSent(
  context: SendContext,
  key: OnceMessageKey,
  { channelId, messageTs }: PostedMessage,
): Written<PostedMessage> {
  const sent = { kind: 'sent', channelId, messageTs, now: context.now() } as const;
  return withWrite({ channelId, messageTs }, (tx) => settleOnceMessage(tx, key, sent));
}

/**
 * Returns the channel's id. Null if the bot may not open the DM: the message then goes to the user's id, which Slack
 * accepts too.
 */
async function openChannel(context: SendContext, slack: WebClient, to: string): Promise<string | null> {
  if (!/^[UW]/.test(to)) return to;
  if (!context.botScopes?.includes('im:write')) return null;
  const place = context.workspaceId === null ? {} : { team_id: context.workspaceId };
  try {
    return visibleValue((await slack.conversations.open({ users: to, ...place })).channel?.id);
  } catch (error) {
    if (slackFailure(error)?.code === 'missing_scope') return null;
    throw error;
  }
}

/**
 * Looks for a message that an earlier call may have posted. Returns undefined if the channel does not contain the
 * message: the caller must then send it.
 */
async function settleDoubt(
  context: SendContext,
  slack: WebClient,
  send: OnceSend,
  row: OnceMessageRow,
): Promise<Written<PostedMessage> | StepEnd | undefined> {
  // For a row in status `sending`, `sent_at` is the time until which an earlier call may still post the message: a
  // process may have died during that call, or another run may be making the call now.
  const restMs = row.status === 'sending' ? (row.sent_at ?? 0) - context.now() : 0;
  const found = await search(context, slack, send, { row, mayStillArrive: restMs > 0 });
  if (found.kind === 'found') {
    context.log.info('the message of an earlier attempt was found');
    return recordSent(context, send.key, found);
  }
  if (restMs > 0) return retryIn(Math.min(restMs, 1000));
  if (found.kind === 'absent') return undefined;
  await context.services.database.write((tx) => settleOnceMessage(tx, send.key, { kind: 'unconfirmed' }));
  return unconfirmed(
    found.code,
    'The message may have arrived: Foyer could not search the channel’s history for it',
  );
}

/** Searches the channel's history. If an earlier call may still post the message, searches only the newest page. */
async function search(
  context: SendContext,
  slack: WebClient,
  { key, to, metadata: wanted }: OnceSend,
  { row, mayStillArrive }: { row: OnceMessageRow; mayStillArrive: boolean },
): Promise<SearchResult> {
  const { channel_id: channel, attempted_at: from, search_before: before, search_calls: calls } = row;
  // For a DM, the granted scopes show whether its history can be read: no call to Slack is needed.
  if (/^[UW]/.test(to) && !context.botScopes?.includes('im:history'))
    return { kind: 'unsearchable', code: 'missing_scope' };
  if (channel === null) return { kind: 'unsearchable', code: 'channel_unknown' };
  const matches: HistorySearch['matches'] = (metadata) => {
    const payload = metadata?.event_payload;
    if (metadata?.event_type !== wanted.event_type || typeof payload !== 'object' || payload === null)
      return false;
    const { installation_id: id, life, key: ofPost } = payload as Record<string, unknown>;
    const { installation_id, life: wantedLife, key: wantedKey } = wanted.event_payload;
    return id === installation_id && Number(life) === wantedLife && ofPost === wantedKey;
  };
  const bounds = { channel, from, until: row.sent_at ?? from, before, calls, matches };
  if (mayStillArrive) return peekHistory(slack, bounds);
  return searchHistory(slack, bounds, (position) =>
    context.services.database.write((tx) => keepMessageSearch(tx, key, position)),
  );
}

/**
 * Thrown by `postOnce` to end the attempt: an earlier call has not settled yet, or the message stays unconfirmed. A
 * step must not catch it.
 */
export class AttemptEnded extends Error {
  override readonly name = 'AttemptEnded';
  readonly end: StepEnd;
  constructor(end: StepEnd) {
    super('postOnce ended this attempt: do not catch this error');
    this.end = end;
  }
}

/**
 * `StepContext.postOnce`: sends a step's own message with `sendOnce`. Prefixes the step's key with `scope`.
 * @throws AttemptEnded, StepError, and the errors of Slack's client
 */
export async function postOnce(
  context: SendContext,
  stepKey: string,
  message: OnceMessage,
  scope = '',
): Promise<PostedMessage> {
  if (typeof stepKey !== 'string' || stepKey === '' || stepKey.length > 200) {
    throw new StepError('invalid_key', 'postOnce needs a key of 1 to 200 characters', { final: true });
  }
  const key = scope + stepKey;
  const { installationId, life, services } = context;
  const { database } = services;
  const post: OnceMessageKey = { kind: 'post', installationId, life, key };
  const previous = await readOnceMessage(database.queries, post);
  if (previous?.status === 'sent') {
    return { channelId: previous.channel_id ?? '', messageTs: previous.message_ts ?? '' };
  }
  const result = await sendOnce(context, {
    key: post,
    previous,
    to: message.channel ?? context.userId,
    metadata: {
      event_type: 'foyer_post',
      event_payload: { installation_id: installationId, life, key },
    },
    content: () => ({ text: message.text, ...(message.blocks && { blocks: [...message.blocks] }) }),
  });
  if (!isWritten(result)) throw new AttemptEnded(result);
  await database.write(result.write);
  return result.output;
}
