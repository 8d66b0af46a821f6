import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isRecord } from '../blocks/fault-list.ts';
import type { Sandbox } from '../sandbox.ts';
import { clientFor, codeFrom, exchange, install, testManifest } from '../test-support/install.ts';
import { withSandbox } from '../test-support/with-sandbox.ts';

const botScopes = testManifest.oauth_config.scopes.bot.join(',');

/** Calls 13 methods in a workspace, and some of them also in the Grid org. The arguments produce complete answers. */
async function callEverything(sandbox: Sandbox): Promise<void> {
  const parameters = { scope: botScopes, user_scope: 'users:read' };
  const { client, userId, answer } = await install(sandbox, 'Acme', { parameters });
  const channel = (await client.conversations.open({ users: userId, return_im: true })).channel?.id ?? '';
  const blocks = [{ type: 'section' as const, text: { type: 'mrkdwn' as const, text: 'x' } }];
  const metadata = { event_type: 'welcome', event_payload: { run_id: '1' } };
  const { ts = '' } = await client.chat.postMessage({ channel, text: 'x', blocks, metadata });
  await client.chat.update({ channel, ts, text: 'y' });
  await client.conversations.history({ channel, include_all_metadata: true });
  await client.chat.delete({ channel, ts });
  await client.users.info({ user: userId, include_locale: true });
  await client.users.list({});
  await client.team.info();
  await client.views.publish({ user_id: userId, view: { type: 'home', blocks } });
  await client.auth.test();
  await client.auth.teams.list({ include_icon: true });
  await client.api.test({ error: '' });
  const { clientId: client_id, clientSecret: client_secret } = sandbox.app;
  const refresh_token = answer.refresh_token ?? '';
  await clientFor(sandbox).oauth.v2.access({
    client_id,
    client_secret,
    grant_type: 'refresh_token',
    refresh_token,
  });
  await callInOrg(sandbox);
}

async function callInOrg(sandbox: Sandbox): Promise<void> {
  const enterpriseId = sandbox.state().enterprises[0]?.id ?? '';
  const { id: userId } = sandbox.person('Initech Sales');
  const answer = await exchange(sandbox, await codeFrom(sandbox, { enterpriseId, userId }));
  await sandbox.grantAccess({ enterpriseId, teamIds: [sandbox.workspace('Initech Sales').id] });
  const client = clientFor(sandbox, answer.access_token);
  await client.auth.test();
  await client.team.info();
  await client.users.info({ user: userId });
}

/** The fields that the SDK's types list for a method's answer. Slack generates these types from real answers. */
async function knownFields(method: string): Promise<Set<string>> {
  const name = method.split('.').map((part) => `${part[0]?.toUpperCase()}${part.slice(1)}`);
  const folder = dirname(createRequire(import.meta.url).resolve('@slack/web-api'));
  const types = await readFile(join(folder, 'types', 'response', `${name.join('')}Response.d.ts`), 'utf8');
  return new Set([...types.matchAll(/^\s+(\w+)\??:/gm)].map(([, field = '']) => field));
}

/** Fields whose content comes from the caller. */
const callersOwn = new Set(['event_payload', 'values', 'args']);

function fieldsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(fieldsOf);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    name,
    ...(callersOwn.has(name) ? [] : fieldsOf(inner)),
  ]);
}

test('the sandbox’s responses to 13 methods contain only fields that Slack’s own types declare', async (t) => {
  const manifest = { ...testManifest, settings: { ...testManifest.settings, token_rotation_enabled: true } };
  const { sandbox } = await withSandbox(t, { manifest });
  await callEverything(sandbox);
  const methods = new Set(sandbox.calls().map((call) => call.method));
  assert.equal(methods.size, 13);
  for (const method of methods) {
    const known = await knownFields(method);
    const answers = sandbox.calls(method).map((call) => call.answer);
    const unknown = fieldsOf(answers).filter((field) => !known.has(field) && field !== 'values');
    assert.deepEqual(unknown, [], method);
  }
});

/** The fields of the examples on Slack's reference pages; `a.b` is the field `b` of `a`. */
const documented: Record<string, string> = {
  'auth.test': 'ok url team user team_id user_id bot_id is_enterprise_install',
  'chat.postMessage': 'ok channel ts message message.text message.bot_id message.ts message.type',
  'conversations.history': 'ok messages has_more pin_count',
  'conversations.open': 'ok channel channel.id',
  'oauth.v2.access':
    'ok access_token token_type scope bot_user_id app_id team.id team.name enterprise authed_user.id',
  'team.info': 'ok team.id team.name team.domain team.email_domain team.icon.image_34 team.icon.image_132',
  'users.info':
    'ok user.id user.team_id user.name user.deleted user.color user.real_name user.tz user.tz_label user.tz_offset ' +
    'user.profile.avatar_hash user.profile.status_text user.profile.status_emoji user.profile.real_name ' +
    'user.profile.display_name user.profile.real_name_normalized user.profile.display_name_normalized ' +
    'user.profile.email user.profile.image_original user.profile.image_24 user.profile.image_512 user.profile.team ' +
    'user.is_admin user.is_owner user.is_primary_owner user.is_restricted user.is_ultra_restricted user.is_bot ' +
    'user.updated user.is_app_user',
  'views.publish':
    'ok view.id view.team_id view.type view.close view.submit view.blocks view.private_metadata view.callback_id ' +
    'view.state.values view.hash view.clear_on_close view.notify_on_close view.root_view_id view.previous_view_id ' +
    'view.app_id view.external_id view.bot_id',
};

test('the sandbox’s responses to eight methods contain every field of Slack’s documented examples', async (t) => {
  const { sandbox } = await withSandbox(t);
  // `callEverything` fails when it refreshes the token: token rotation is off here, as in Slack's examples. By then, it
  // has called the eight methods.
  await callEverything(sandbox).catch(() => {});
  for (const [method, fields] of Object.entries(documented)) {
    const answer = sandbox.calls(method)[0]?.answer;
    for (const field of fields.split(' ')) {
      const value = field
        .split('.')
        .reduce<unknown>((inner, name) => (isRecord(inner) ? inner[name] : undefined), answer);
      assert.notEqual(value, undefined, `${method}: ${field}`);
    }
  }
});
