import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifySlackRequest } from '@slack/bolt';
import { clientFor, codeFrom, exchange, install, refused, testManifest } from '../test-support/install.ts';
import type { Received } from '../test-support/test-app.ts';
import { withSandbox } from '../test-support/with-sandbox.ts';

function verify(signingSecret: string, { headers, body }: Received): void {
  verifySlackRequest({
    signingSecret,
    body,
    headers: {
      'x-slack-signature': String(headers['x-slack-signature']),
      'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
    },
  });
}

test('the sandbox sends app_home_opened in Slack’s envelope, with a signature that Bolt accepts', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { client, teamId, userId, answer } = await install(sandbox);
  await sandbox.openHome({ teamId, userId });
  await client.views.publish({ user_id: userId, view: { type: 'home', blocks: [{ type: 'divider' }] } });
  await sandbox.openHome({ teamId, userId });
  await sandbox.openHome({ teamId, userId, tab: 'messages' });
  for (const received of app.received) verify(sandbox.app.signingSecret, received);
  const [first, second, third] = app.events('app_home_opened');
  assert.equal(first?.view, undefined);
  assert.ok(second?.view);
  assert.deepEqual([third?.tab, third?.view], ['messages', undefined]);
  const [{ json } = assert.fail('the app received no request')] = app.received;
  const { event: _event, event_id, event_time, ...envelope } = json;
  assert.match(String(event_id), /^Ev/);
  assert.ok(Math.abs(Number(event_time) - Date.now() / 1000) < 10);
  assert.deepEqual(envelope, {
    token: sandbox.app.verificationToken,
    team_id: teamId,
    context_team_id: teamId,
    context_enterprise_id: null,
    api_app_id: sandbox.app.id,
    type: 'event_callback',
    authorizations: [
      {
        enterprise_id: null,
        team_id: teamId,
        user_id: answer.bot_user_id,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
  });
});

test('the sandbox sends only events that the manifest subscribes to', async (t) => {
  const settings = { ...testManifest.settings, event_subscriptions: { bot_events: ['app_uninstalled'] } };
  const { sandbox, app } = await withSandbox(t, { manifest: { ...testManifest, settings } });
  const { teamId, userId } = await install(sandbox);
  assert.equal(await sandbox.openHome({ teamId, userId }), null);
  await sandbox.uninstall({ teamId });
  assert.deepEqual(
    app.received.map(({ json }) => (json.event as { type: string }).type),
    ['app_uninstalled'],
  );
});

test('the sandbox sends an unacknowledged event three more times: immediately, after one minute and after five more minutes', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { teamId, userId } = await install(sandbox);
  app.answerWith(500);
  await sandbox.openHome({ teamId, userId });
  await sandbox.clock.advance(0);
  assert.equal(app.received.length, 2);
  await sandbox.clock.advance(59_000);
  assert.equal(app.received.length, 2);
  await sandbox.clock.advance(1000);
  assert.equal(app.received.length, 3);
  await sandbox.clock.advance(300_000);
  assert.equal(app.received.length, 4);
  await sandbox.clock.advance(3_600_000);
  assert.equal(app.received.length, 4);
  const numbers = app.received.map(({ headers }) => headers['x-slack-retry-num']);
  assert.deepEqual(numbers, [undefined, '1', '2', '3']);
  assert.equal(app.received[3]?.headers['x-slack-retry-reason'], 'http_error');
  assert.equal(
    new Set(app.received.map(({ body }) => body)).size,
    1,
    'the body, with its event_id, stays the same',
  );
});

test('the sandbox reports http_timeout if the app does not answer in time, and connection_failed if the app is stopped', async (t) => {
  const { sandbox, app } = await withSandbox(t, { eventTimeoutMs: 50 });
  const { teamId, userId } = await install(sandbox);
  app.answerWith('silence', 200);
  await sandbox.openHome({ teamId, userId });
  await sandbox.clock.advance(0);
  const [first, second] = sandbox.deliveries.list();
  assert.equal(first?.outcome, 'http_timeout');
  assert.deepEqual([second?.retryReason, second?.outcome], ['http_timeout', 'acknowledged']);
  await app.close();
  assert.equal((await sandbox.openHome({ teamId, userId }))?.outcome, 'connection_failed');
});

test('a test can duplicate deliveries, hold them back, and release them in reverse order', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { teamId, userId } = await install(sandbox);
  const delivery = await sandbox.openHome({ teamId, userId });
  await sandbox.deliveries.resend(delivery?.id ?? '', { times: 2 });
  assert.equal(new Set(app.received.map(({ json }) => json.event_id)).size, 1);
  assert.equal(app.received.length, 3);
  app.received.length = 0;
  sandbox.deliveries.hold();
  await sandbox.uninstall({ teamId });
  assert.equal(app.received.length, 0);
  await install(sandbox);
  await sandbox.deliveries.release('reversed');
  const types = app.received.map(({ json }) => (json.event as { type: string }).type);
  assert.deepEqual(types, ['tokens_revoked', 'app_uninstalled']);
  for (const received of app.received) verify(sandbox.app.signingSecret, received);
});

test('an uninstall sends tokens_revoked with the owners of the tokens, and a reinstall gives the same bot a new token', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { teamId, userId, answer } = await install(sandbox, 'Acme', {
    parameters: { user_scope: 'users:read' },
  });
  await sandbox.uninstall({ teamId });
  const [revoked] = app.events('tokens_revoked');
  assert.deepEqual(revoked?.tokens, { oauth: [userId], bot: [answer.bot_user_id] });
  const uninstalled = app.received.find(
    ({ json }) => (json.event as { type: string }).type === 'app_uninstalled',
  );
  assert.equal(uninstalled?.json.team_id, teamId);
  assert.equal(uninstalled?.json.authorizations, undefined);
  const again = await install(sandbox);
  assert.equal(again.answer.bot_user_id, answer.bot_user_id);
  assert.notEqual(again.token, answer.access_token);
});

test('revoking one person’s token leaves the app installed', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { client, teamId, userId, answer } = await install(sandbox, 'Acme', {
    parameters: { user_scope: 'users:read' },
  });
  await sandbox.revokeUser({ teamId, userId });
  assert.deepEqual(app.events('tokens_revoked')[0]?.tokens, { oauth: [userId], bot: [] });
  assert.equal(app.events('app_uninstalled').length, 0);
  assert.equal((await client.auth.test()).ok, true);
  await refused(clientFor(sandbox, answer.authed_user?.access_token).auth.test(), 'token_revoked');
});

test('the event of an org-wide uninstall names the org and no team', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const enterpriseId = sandbox.state().enterprises[0]?.id ?? '';
  await exchange(
    sandbox,
    await codeFrom(sandbox, { enterpriseId, userId: sandbox.person('Initech Sales').id }),
  );
  const { id: teamId } = sandbox.workspace('Initech Sales');
  await sandbox.grantAccess({ enterpriseId, teamIds: [teamId] });
  await sandbox.openHome({ teamId, userId: sandbox.person('Initech Sales', 'member').id });
  const opened = app.received.at(-1)?.json;
  const [authorization] = (opened?.authorizations ?? []) as Record<string, unknown>[];
  assert.deepEqual(
    [opened?.team_id, authorization?.team_id, authorization?.is_enterprise_install],
    [teamId, null, true],
  );
  await sandbox.uninstall({ enterpriseId });
  const last = app.received.at(-1)?.json ?? {};
  assert.equal(last.enterprise_id, enterpriseId);
  assert.ok(!('team_id' in last));
});

test('pressing a button sends block_actions with a working response_url and trigger_id', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { client, teamId, userId } = await install(sandbox);
  const button = {
    type: 'button' as const,
    action_id: 'again',
    value: 'run-1',
    text: { type: 'plain_text' as const, text: 'Again' },
  };
  const blocks = [{ type: 'actions' as const, block_id: 'row', elements: [button] }];
  await client.views.publish({ user_id: userId, view: { type: 'home', blocks } });
  const sent = await client.chat.postMessage({ channel: userId, text: 'x', blocks });
  await sandbox.press({ teamId, userId, actionId: 'again' });
  const [home] = app.received;
  assert.ok(home);
  verify(sandbox.app.signingSecret, home);
  const [action] = home.json.actions as Record<string, unknown>[];
  assert.deepEqual(
    [action?.action_id, action?.block_id, action?.value, action?.type],
    ['again', 'row', 'run-1', 'button'],
  );
  assert.deepEqual((home.json.user as { id: string }).id, userId);
  assert.equal((home.json.container as { type: string }).type, 'view');
  const modal = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'Sure?' }, blocks: [] };
  const trigger_id = String(home.json.trigger_id);
  assert.equal((await client.views.open({ trigger_id, view: modal })).view?.type, 'modal');
  await refused(client.views.open({ trigger_id, view: modal }), 'exchanged_trigger_id');
  await sandbox.press({ teamId, userId, actionId: 'again', where: 'message' });
  const press = app.received[1]?.json ?? {};
  assert.equal((press.container as { message_ts: string }).message_ts, sent.ts);
  const answer = {
    method: 'POST',
    body: JSON.stringify({ replace_original: true, text: 'Done' }),
    headers: { 'content-type': 'application/json' },
  };
  assert.equal((await fetch(String(press.response_url), answer)).status, 200);
  assert.equal(sandbox.messages({ teamId, userId })[0]?.text, 'Done');
  await assert.rejects(
    sandbox.press({ teamId, userId, actionId: 'absent' }),
    /no button or other control with the action_id absent/,
  );
});

test('a test can send the app an event that is old, unsigned or wrongly signed', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { teamId, userId } = await install(sandbox);
  const event = { type: 'app_uninstalled' };
  await sandbox.sendEvent({ event, teamId, eventTimeSeconds: 1000 });
  await sandbox.sendEvent({ event, teamId, signature: 'wrong' });
  await sandbox.sendEvent({ event, teamId, signature: 'none' });
  const [late, wrong, unsigned] = app.received;
  assert.ok(late && wrong && unsigned);
  verify(sandbox.app.signingSecret, late);
  assert.equal(late.json.event_time, 1000);
  assert.throws(() => verify(sandbox.app.signingSecret, wrong));
  assert.equal(unsigned.headers['x-slack-signature'], undefined);
  const { delivery } = await sandbox.sendMessage({ teamId, userId, text: 'hello' });
  assert.equal(delivery?.outcome, 'acknowledged');
  assert.equal(app.events('message')[0]?.channel_type, 'im');
  assert.equal((await sandbox.verifyEventUrl()).isVerified, true);
});
