import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientFor, install, refused } from '../test-support/install.ts';
import { withSandbox } from '../test-support/with-sandbox.ts';

test('the sandbox refuses a call without a token, with a wrong token or after an uninstall, as Slack does', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, teamId } = await install(sandbox);
  await refused(clientFor(sandbox).auth.test(), 'not_authed');
  await refused(clientFor(sandbox, 'xoxb-1-2-3').auth.test(), 'invalid_auth');
  await refused(client.apiCall('made.up'), 'unknown_method');
  await sandbox.uninstall({ teamId });
  await refused(client.auth.test(), 'account_inactive');
});

test('a call with a JSON body must send its token in the Authorization header', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { token } = await install(sandbox);
  const post = async (headers: Record<string, string>, body: string) => {
    const answer = await fetch(`${sandbox.apiUrl}auth.test`, { method: 'POST', headers, body });
    return (await answer.json()) as { ok: boolean; error?: string };
  };
  const type = { 'content-type': 'application/json; charset=utf-8' };
  assert.equal((await post(type, JSON.stringify({ token }))).error, 'not_authed');
  assert.equal((await post({ ...type, authorization: `Bearer ${token}` }, '{}')).ok, true);
  assert.equal((await post({ ...type, authorization: `Bearer ${token}` }, '{nope')).error, 'invalid_json');
  assert.equal((await fetch(`${sandbox.apiUrl}auth.test?token=${token}`)).status, 200);
});

test('missing_scope names the needed scope and the scopes that the token has', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, userId } = await install(sandbox, 'Acme', { parameters: { scope: 'chat:write,im:write' } });
  const answer = await refused(client.users.info({ user: userId }), 'missing_scope');
  assert.equal(answer.needed, 'users:read');
  assert.equal(answer.provided, 'chat:write,im:write');
  const { channel } = await client.conversations.open({ users: userId });
  const history = await refused(
    client.conversations.history({ channel: channel?.id ?? '' }),
    'missing_scope',
  );
  assert.equal(history.needed, 'channels:history,groups:history,im:history,mpim:history');
  assert.equal((await client.chat.postMessage({ channel: userId, text: 'hi' })).channel, channel?.id);
});

test('users.info and team.info answer for the token’s own workspace, and refuse another workspace and its people', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, userId, teamId } = await install(sandbox);
  const { user } = await client.users.info({ user: userId, include_locale: true });
  assert.equal(user?.real_name, 'Grace Okafor');
  assert.equal(user?.tz, 'Europe/Amsterdam');
  assert.ok([3600, 7200].includes(user?.tz_offset ?? 0));
  assert.equal(user?.locale, 'en-GB');
  assert.equal(user?.is_owner, true);
  assert.match(user?.profile?.image_192 ?? '', /^http:\/\/127\.0\.0\.1:\d+\/avatars\//);
  const { team } = await client.team.info();
  assert.deepEqual([team?.id, team?.name, team?.domain], [teamId, 'Acme', 'acme-robotics']);
  await refused(client.users.info({ user: sandbox.person('Globex').id }), 'user_not_found');
  await refused(client.team.info({ team: sandbox.workspace('Globex').id }), 'team_not_found');
  const { members } = await client.users.list({ limit: 2 });
  assert.equal(members?.length, 2);
});

test('conversations.history returns messages newest first, in pages, with metadata on request', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, userId } = await install(sandbox);
  const channel = (await client.conversations.open({ users: userId })).channel?.id ?? '';
  const metadata = { event_type: 'welcome', event_payload: { run_id: 'run-1' } };
  const first = await client.chat.postMessage({ channel, text: 'one', metadata });
  for (const text of ['two', 'three']) await client.chat.postMessage({ channel, text });
  const plain = await client.conversations.history({ channel });
  assert.deepEqual(
    plain.messages?.map((each) => each.text),
    ['three', 'two', 'one'],
  );
  assert.equal(plain.messages?.[2]?.metadata, undefined);
  const full = await client.conversations.history({
    channel,
    include_all_metadata: true,
    oldest: first.ts,
    inclusive: true,
  });
  assert.deepEqual(full.messages?.[2]?.metadata, metadata);
  const after = await client.conversations.history({ channel, oldest: first.ts });
  assert.equal(after.messages?.length, 2);
  const page = await client.conversations.history({ channel, limit: 2 });
  assert.equal(page.has_more, true);
  const rest = await client.conversations.history({
    channel,
    limit: 2,
    cursor: page.response_metadata?.next_cursor,
  });
  assert.deepEqual(
    rest.messages?.map((each) => each.text),
    ['one'],
  );
  assert.equal(new Set(full.messages?.map((each) => each.ts)).size, 3);
});

test('an app can change and delete its own messages, but not a person’s', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, userId, teamId } = await install(sandbox);
  const sent = await client.chat.postMessage({ channel: userId, text: 'one' });
  const [channel, ts] = [sent.channel ?? '', sent.ts ?? ''];
  assert.equal((await client.chat.update({ channel, ts, text: 'two' })).text, 'two');
  const { message } = await sandbox.sendMessage({ teamId, userId, text: 'mine' });
  await refused(client.chat.update({ channel, ts: message.ts, text: 'no' }), 'cant_update_message');
  await refused(client.chat.delete({ channel, ts: message.ts }), 'cant_delete_message');
  await client.chat.delete({ channel, ts });
  await refused(client.chat.delete({ channel, ts }), 'message_not_found');
  assert.deepEqual(
    sandbox.messages({ teamId, userId }).map((each) => each.text),
    ['mine'],
  );
});

test('the sandbox refuses blocks that do not match Slack’s shapes and limits', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, userId } = await install(sandbox);
  const section = (text: string) => ({ type: 'section' as const, text: { type: 'mrkdwn' as const, text } });
  const post = (blocks: unknown[]) =>
    client.apiCall('chat.postMessage', { channel: userId, text: 'x', blocks });
  const publish = (blocks: unknown[]) =>
    client.apiCall('views.publish', { user_id: userId, view: { type: 'home', blocks } });
  await post([section('a'.repeat(3000))]);
  const answer = await refused(post([section('a'.repeat(3001))]), 'invalid_blocks');
  assert.deepEqual(answer.errors, ['must be less than 3001 characters [json-pointer:/blocks/0/text/text]']);
  await refused(post(Array.from({ length: 51 }, () => ({ type: 'divider' }))), 'invalid_blocks');
  await publish(Array.from({ length: 100 }, () => ({ type: 'divider' })));
  const button = (text: string) => ({
    type: 'button',
    action_id: text.slice(0, 9),
    text: { type: 'plain_text', text },
  });
  const bad: [unknown, string][] = [
    [section(''), '/view/blocks/0/text/text'],
    [{ type: 'header', text: { type: 'plain_text', text: 'h'.repeat(151) } }, '/view/blocks/0/text/text'],
    [{ type: 'header', text: { type: 'mrkdwn', text: 'h' } }, '/view/blocks/0/text/type'],
    [
      { type: 'section', fields: [{ type: 'mrkdwn', text: 'f'.repeat(2001) }] },
      '/view/blocks/0/fields/0/text',
    ],
    [{ type: 'actions', elements: [button('b'.repeat(76))] }, '/view/blocks/0/elements/0/text/text'],
    [{ type: 'actions', elements: Array.from({ length: 26 }, () => button('b')) }, '/view/blocks/0/elements'],
    [
      { type: 'context', elements: Array.from({ length: 11 }, () => section('c').text) },
      '/view/blocks/0/elements',
    ],
    [{ type: 'divider', block_id: 'i'.repeat(256) }, '/view/blocks/0/block_id'],
    [{ type: 'markdown', text: 'only in messages' }, '/view/blocks/0/type'],
  ];
  for (const [block, pointer] of bad) {
    const { response_metadata } = await refused(publish([block]), 'invalid_arguments');
    assert.ok(JSON.stringify(response_metadata).includes(`[json-pointer:${pointer}]`), pointer);
  }
  await refused(publish(Array.from({ length: 101 }, () => ({ type: 'divider' }))), 'invalid_arguments');
  await refused(publish(Array.from({ length: 95 }, () => section('a'.repeat(2900)))), 'view_too_large');
});

test('views.publish checks the hash, and answers not_enabled if the app has no Home tab', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, userId } = await install(sandbox);
  const view = { type: 'home' as const, blocks: [{ type: 'divider' as const }] };
  const first = (await client.views.publish({ user_id: userId, view })).view;
  const second = (await client.views.publish({ user_id: userId, view, hash: first?.hash })).view;
  assert.equal(second?.id, first?.id);
  await refused(client.views.publish({ user_id: userId, view, hash: first?.hash }), 'hash_conflict');
  await refused(client.views.publish({ user_id: userId, view, hash: '' }), 'hash_conflict');
  sandbox.changeManifest({ display_information: { name: 'Porter' } });
  await refused(client.views.publish({ user_id: userId, view }), 'not_enabled');
  await refused(client.chat.postMessage({ channel: userId, text: 'hi' }), 'messages_tab_disabled');
});

test('a token of one workspace cannot read, post or publish in another workspace', async (t) => {
  const { sandbox } = await withSandbox(t);
  const acme = await install(sandbox, 'Acme');
  const globex = await install(sandbox, 'Globex');
  assert.notEqual(acme.token, globex.token);
  const { channel } = await acme.client.conversations.open({ users: acme.userId });
  await refused(globex.client.conversations.history({ channel: channel?.id ?? '' }), 'channel_not_found');
  await refused(
    globex.client.chat.postMessage({ channel: channel?.id ?? '', text: 'hi' }),
    'channel_not_found',
  );
  await refused(
    globex.client.views.publish({ user_id: acme.userId, view: { type: 'home', blocks: [] } }),
    'user_not_found',
  );
});

test('auth.revoke revokes the token, and uninstalls the app if it was the last token', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { client, token, teamId } = await install(sandbox);
  assert.equal((await client.apiCall('auth.revoke', { test: true })).ok, true);
  assert.equal((await client.auth.test()).ok, true);
  assert.equal((await client.auth.revoke()).ok, true);
  await refused(clientFor(sandbox, token).auth.test(), 'token_revoked');
  await sandbox.settled();
  assert.equal(app.events('tokens_revoked').length, 1);
  assert.equal(app.events('app_uninstalled').length, 1);
  await assert.rejects(sandbox.uninstall({ teamId }), /not installed/);
  assert.notEqual((await install(sandbox)).token, token);
});

test('apps.uninstall requires the client secret', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client } = await install(sandbox);
  const { clientId: client_id, clientSecret: client_secret } = sandbox.app;
  await refused(client.apps.uninstall({ client_id, client_secret: 'no' }), 'bad_client_secret');
  assert.equal((await client.apps.uninstall({ client_id, client_secret })).ok, true);
  await refused(client.auth.test(), 'account_inactive');
});

test('a suspended app cannot make calls, be installed or get events in any workspace until the suspension is lifted', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const acme = await install(sandbox);
  const globex = await install(sandbox, 'Globex');
  sandbox.setSuspended({ isSuspended: true });
  for (const { client } of [acme, globex]) await refused(client.auth.test(), 'account_inactive');
  await assert.rejects(install(sandbox, 'Initech Product'), /Slack has suspended this app/);
  await sandbox.openHome(globex);
  await sandbox.uninstall({ teamId: acme.teamId });
  await sandbox.settled();
  const types = ['app_home_opened', 'app_uninstalled', 'tokens_revoked'];
  assert.deepEqual(
    types.flatMap((type) => app.events(type)),
    [],
  );

  sandbox.setSuspended({ isSuspended: false });
  assert.equal((await globex.client.auth.test()).ok, true);
  await refused(acme.client.auth.test(), 'account_inactive');
  sandbox.setSuspended({ isSuspended: true });
  sandbox.reset();
  assert.equal((await (await install(sandbox)).client.auth.test()).ok, true);
});

test('an incoming webhook posts to its channel until the app is uninstalled', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { answer, teamId } = await install(sandbox, 'Acme', { parameters: { scope: 'incoming-webhook' } });
  const post = () =>
    fetch(answer.incoming_webhook?.url ?? '', {
      method: 'POST',
      body: JSON.stringify({ text: 'hello' }),
      headers: { 'content-type': 'application/json' },
    });
  assert.equal(await (await post()).text(), 'ok');
  const [channel] = sandbox.state().workspaces[0]?.channels ?? [];
  assert.equal(channel?.messages[0]?.text, 'hello');
  await sandbox.uninstall({ teamId });
  assert.equal((await post()).status, 404);
});
