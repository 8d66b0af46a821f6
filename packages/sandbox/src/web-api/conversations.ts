import { openDirectMessage } from '../messages/conversations.ts';
import { messageJson } from '../messages/message-json.ts';
import type { Conversation, Message } from '../world/records.ts';
import { requireScope } from './authenticate.ts';
import { type Call, tokenMethod } from './method.ts';
import { pageOf } from './page-of.ts';
import { conversationInReach, personInReach, workspaceOf } from './reach.ts';
import { invalidArguments, Refusal } from './refusal.ts';

/** Opens (or resumes) a DM with one person. The sandbox does not offer group DMs. */
export const conversationsOpen = tokenMethod(
  'tier3',
  ['im:write', 'mpim:write', 'channels:manage', 'groups:write'],
  (call) => {
    const { platform, args, token, installation } = call;
    const channel = args.text('channel');
    if (channel) return { ok: true, ...opened(conversationInReach(call, channel), call, false) };
    const users = (args.text('users') ?? '').split(',').filter(Boolean);
    if (users.length === 0) throw new Refusal('users_list_not_supplied');
    if (users.length > 1)
      throw new Refusal('not_enough_users', { sandbox: 'the sandbox does not offer group DMs' });
    requireScope(token, ['im:write']);
    const { person, workspace } = personInReach(call, users[0] ?? '');
    const { conversation, isNew } = openDirectMessage(platform, installation, person, workspace);
    return { ok: true, ...opened(conversation, call, isNew) };
  },
);

function opened(conversation: Conversation, call: Call, isNew: boolean) {
  const already = isNew ? {} : { no_op: true, already_open: true };
  if (!call.args.flag('return_im')) return { ...already, channel: { id: conversation.id } };
  return { ...already, channel: conversationJson(conversation, call) };
}

function conversationJson(conversation: Conversation, call: Call): Record<string, unknown> {
  const created = Math.floor(conversation.createdAt / 1000);
  const { id, teamId, memberIds } = conversation;
  const shared = {
    id,
    created,
    is_archived: false,
    is_org_shared: false,
    context_team_id: teamId,
    updated: created,
  };
  if (conversation.kind === 'im') {
    const user = memberIds.find((each) => each !== call.token.userId);
    return { ...shared, is_im: true, is_open: true, user, priority: 0 };
  }
  const { name } = conversation;
  const kinds = {
    is_channel: true,
    is_group: false,
    is_im: false,
    is_mpim: false,
    is_private: false,
    is_general: true,
  };
  const is_member = memberIds.includes(call.token.userId);
  return { ...shared, name, name_normalized: name, ...kinds, is_member, num_members: memberIds.length };
}

/** For each kind of conversation, the scope that a token needs to read its messages. */
const historyScope = { im: 'im:history', channel: 'channels:history' } as const;

/** Messages, newest first. Source: docs.slack.dev/reference/methods/conversations.history */
export const conversationsHistory = tokenMethod(
  'tier3',
  ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  (call) => {
    const { platform, args, token } = call;
    const conversation = conversationInReach(call, args.required('channel'));
    requireScope(token, [historyScope[conversation.kind]]);
    if (!conversation.memberIds.includes(token.userId)) throw new Refusal('not_in_channel');
    const limit = args.number('limit') ?? 100;
    if (limit < 1 || limit > 999) throw new Refusal('invalid_limit');
    const matching = conversation.messages.filter(
      withinBounds(args.text('oldest'), args.text('latest'), args.flag('inclusive')),
    );
    // An app under Slack's limit of May 2025 gets at most 15 messages, even if it asks for more.
    const { isOn, isHistoryLimited } = call.rateLimits;
    const size = isOn && isHistoryLimited ? Math.min(limit, 15) : limit;
    const { items, nextCursor } = pageOf(matching.reverse(), size, args.text('cursor'));
    const withMetadata = args.flag('include_all_metadata');
    return {
      ok: true,
      messages: items.map((message) => messageJson(platform, conversation, message, { withMetadata })),
      has_more: nextCursor !== '',
      pin_count: 0,
      channel_actions_ts: null,
      channel_actions_count: 0,
      ...(nextCursor ? { response_metadata: { next_cursor: nextCursor } } : {}),
    };
  },
);

function withinBounds(oldest: string | undefined, latest: string | undefined, isInclusive: boolean) {
  const from = microseconds(oldest, 'oldest') ?? -1n;
  const to = microseconds(latest, 'latest') ?? 2n ** 63n;
  return ({ ts, threadTs }: Message) => {
    if (threadTs && threadTs !== ts) return false;
    const at = microseconds(ts, 'ts') ?? 0n;
    return isInclusive ? at >= from && at <= to : at > from && at < to;
  };
}

/**
 * A timestamp in microseconds, as a whole number: floating point would round the last digits. Undefined if the
 * timestamp is absent, empty or `0`, which means no bound.
 */
function microseconds(ts: string | undefined, name: string): bigint | undefined {
  if (ts === undefined || ts === '' || ts === '0') return undefined;
  const [, seconds, fraction = ''] = /^(\d+)(?:\.(\d{1,6}))?\d*$/.exec(ts) ?? [];
  if (!seconds)
    throw invalidArguments([`[ERROR] invalid timestamp [json-pointer:/${name}]`], `invalid_ts_${name}`);
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
}

const listScopes: Record<string, string> = {
  public_channel: 'channels:read',
  private_channel: 'groups:read',
  mpim: 'mpim:read',
  im: 'im:read',
};

export const conversationsList = tokenMethod('tier2', Object.values(listScopes), (call) => {
  const { platform, args, token } = call;
  const types = (args.text('types') ?? 'public_channel').split(',').map((type) => type.trim());
  for (const type of types) {
    const scope = listScopes[type];
    if (!scope) throw new Refusal('invalid_types');
    requireScope(token, [scope]);
  }
  const workspace = workspaceOf(call, { isTeamIdNeeded: true });
  const all = [...platform.world.conversations.values()].filter((each) => {
    if (each.teamId !== workspace.id) return false;
    return each.kind === 'im'
      ? types.includes('im') && each.memberIds.includes(token.userId)
      : types.includes('public_channel');
  });
  const { items, nextCursor } = pageOf(all, args.number('limit') ?? 100, args.text('cursor'));
  const channels = items.map((each) => conversationJson(each, call));
  return { ok: true, channels, response_metadata: { next_cursor: nextCursor } };
});
