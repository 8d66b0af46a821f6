import type { Platform } from '../platform.ts';
import { peopleOf } from '../world/find.ts';
import type { Installation, Person, Workspace } from '../world/records.ts';
import { type Call, tokenMethod } from './method.ts';
import { pageOf } from './page-of.ts';
import { personInReach, workspaceOf } from './reach.ts';
import { Refusal } from './refusal.ts';

const pictureSizes = ['24', '32', '48', '72', '192', '512', '1024', 'original'];

/** Whether an answer shows a person's email (if the token's scopes allow it) and locale (if the caller asks for it). */
type Sight = { email: boolean; locale: boolean };

function sightOf({ token, args }: Call): Sight {
  return { email: token.scopes.includes('users:read.email'), locale: args.flag('include_locale') };
}

/** A person in the form of `users.info` and `user_change`, with email and locale only if `sight` allows it. */
export function personJson(
  platform: Platform,
  person: Person,
  workspace: Workspace,
  sight: Sight,
): Record<string, unknown> {
  const role = person.roles[workspace.id] ?? 'member';
  const [firstName = '', ...rest] = person.realName.split(' ');
  return {
    id: person.id,
    team_id: workspace.id,
    name: person.name,
    deleted: person.isDeactivated,
    color: person.color.slice(1),
    real_name: person.realName,
    tz: person.timeZone,
    tz_label: person.timeZoneLabel,
    tz_offset: timeZoneOffsetSeconds(person.timeZone, platform.clock.now()),
    profile: {
      title: person.title,
      phone: '',
      real_name: person.realName,
      real_name_normalized: person.realName.normalize('NFD').replace(/\p{M}/gu, ''),
      display_name: person.name,
      display_name_normalized: person.name,
      first_name: firstName,
      last_name: rest.join(' '),
      status_text: '',
      status_emoji: '',
      status_expiration: 0,
      avatar_hash: person.id.toLowerCase(),
      ...(sight.email ? { email: person.email } : {}),
      ...pictures(platform, person.id),
      is_custom_image: true,
      team: workspace.id,
    },
    is_admin: role === 'owner' || role === 'admin',
    is_owner: role === 'owner',
    is_primary_owner: role === 'owner',
    is_restricted: role === 'guest',
    is_ultra_restricted: false,
    is_bot: false,
    is_app_user: false,
    is_email_confirmed: true,
    updated: 1_704_700_000,
    who_can_share_contact_card: 'EVERYONE',
    ...(sight.locale ? { locale: person.locale } : {}),
    ...enterpriseFields(platform, person, workspace),
  };
}

function pictures(platform: Platform, id: string) {
  return Object.fromEntries(
    pictureSizes.map((size) => [`image_${size}`, `${platform.url()}/avatars/${id}.svg`]),
  );
}

function enterpriseFields(platform: Platform, person: Person, workspace: Workspace) {
  const enterprise = platform.world.enterprises.get(workspace.enterpriseId ?? '');
  if (!enterprise) return {};
  const enterprise_user = {
    id: person.id,
    enterprise_id: enterprise.id,
    enterprise_name: enterprise.name,
    is_admin: person.isOrgAdmin,
    is_owner: person.isOrgAdmin,
    is_primary_owner: person.isOrgAdmin,
    teams: Object.keys(person.roles),
  };
  return { enterprise_user };
}

/** The offset of a time zone from UTC at a moment, with daylight saving time. */
function timeZoneOffsetSeconds(timeZone: string, atMs: number): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(
    atMs,
  );
  const offset = parts.find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(offset) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

function botJson({ platform }: Call, installation: Installation): Record<string, unknown> {
  const { app } = platform;
  const { botUserId, botId } = installation;
  const name = app.settings.botName;
  const profile = {
    real_name: name,
    api_app_id: app.id,
    bot_id: botId,
    always_active: true,
    ...pictures(platform, botUserId),
  };
  return {
    id: botUserId,
    team_id: installation.teamId,
    name,
    real_name: name,
    is_bot: true,
    deleted: false,
    profile,
  };
}

export const usersInfo = tokenMethod('tier4', ['users:read'], (call) => {
  const userId = call.args.required('user');
  if (userId === call.installation.botUserId) return { ok: true, user: botJson(call, call.installation) };
  const { person, workspace } = personInReach(call, userId);
  return { ok: true, user: personJson(call.platform, person, workspace, sightOf(call)) };
});

export const usersList = tokenMethod('tier2', ['users:read'], (call) => {
  const workspace = workspaceOf(call, { isTeamIdNeeded: true });
  const members = [
    ...peopleOf(call.platform.world, { ...call.installation, teamId: workspace.id }).map((person) =>
      personJson(call.platform, person, workspace, sightOf(call)),
    ),
    botJson(call, call.installation),
  ];
  const { items, nextCursor } = pageOf(members, call.args.number('limit') ?? 200, call.args.text('cursor'));
  const cache_ts = Math.floor(call.platform.clock.now() / 1000);
  return { ok: true, members: items, cache_ts, response_metadata: { next_cursor: nextCursor } };
});

/**
 * Checks the call and changes nothing. On Slack, the method sets whether Slack shows a person as connected to the app.
 * Slack documents this method only for user tokens.
 * Source: docs.slack.dev/reference/methods/apps.user.connection.update
 */
export const appsUserConnectionUpdate = tokenMethod('tier2', ['users:write'], (call) => {
  const { platform, args, token } = call;
  const userId = args.required('user_id');
  const status = args.required('status');
  if (token.kind !== 'user') throw new Refusal('not_allowed_token_type');
  if (status !== 'connected' && status !== 'disconnected') throw new Refusal('invalid_arguments');
  if (!platform.app.settings.botEvents.includes('user_connection')) throw new Refusal('app_not_subscribed');
  personInReach(call, userId);
  return { ok: true };
});
