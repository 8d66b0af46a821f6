import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '@slack/web-api';
import { clientFor, install, redirectUri, refused } from '../test-support/install.ts';
import { withSandbox } from '../test-support/with-sandbox.ts';

test('a failure that is planned for a workspace affects only that workspace’s calls, and the call log says which calls took effect', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, userId, teamId } = await install(sandbox);
  const other = await install(sandbox, 'Globex');
  const post = () => client.chat.postMessage({ channel: userId, text: 'hi' });
  const method = 'chat.postMessage';
  sandbox.faults.add({ method, teamId, times: 2, failure: { type: 'error', error: 'fatal_error' } });
  await refused(post(), 'fatal_error');
  assert.equal((await other.client.chat.postMessage({ channel: other.userId, text: 'hi' })).ok, true);
  await refused(post(), 'fatal_error');
  sandbox.faults.add({ method, failure: { type: 'status', status: 503 } });
  await assert.rejects(post(), { code: ErrorCode.HTTPError, statusCode: 503 });
  sandbox.faults.add({ method, failure: { type: 'status', status: 429, retryAfterSeconds: 7 } });
  await assert.rejects(post(), { code: ErrorCode.RateLimitedError, retryAfter: 7 });
  sandbox.faults.add({ method, failure: { type: 'reset-before-acting' } });
  await assert.rejects(post(), { code: ErrorCode.RequestError });
  sandbox.faults.add({ method, failure: { type: 'reset-after-acting' } });
  await assert.rejects(post(), { code: ErrorCode.RequestError });
  sandbox.faults.add({ method, failure: { type: 'malformed-json' } });
  await assert.rejects(post());
  assert.equal((await post()).ok, true);
  const acted = sandbox.calls(method).filter((call) => call.teamId === teamId);
  assert.deepEqual(
    acted.map((call) => call.wasActedUpon),
    [false, false, false, false, false, true, true, true],
  );
  assert.equal(sandbox.messages({ teamId, userId }).length, 3);
});

test('a call can hang because of a planned failure and still take effect', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { token, userId, teamId } = await install(sandbox);
  sandbox.faults.add({ method: 'chat.postMessage', failure: { type: 'hang', delayMs: 60_000 } });
  const body = new URLSearchParams({ token, channel: userId, text: 'hi' });
  const signal = AbortSignal.timeout(100);
  await assert.rejects(fetch(`${sandbox.apiUrl}chat.postMessage`, { method: 'POST', body, signal }), {
    name: 'TimeoutError',
  });
  assert.equal(sandbox.messages({ teamId, userId }).length, 1);
});

test('faults.setLatency delays the responses of a method', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client } = await install(sandbox);
  sandbox.faults.setLatency('auth.test', 60);
  await client.auth.test();
  const [call] = sandbox.calls('auth.test');
  assert.ok((call?.ms ?? 0) >= 55);
});

test('rate limits are off by default; once on, they allow one message per second and 20 calls of users.list per minute', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, userId } = await install(sandbox);
  const post = () => client.chat.postMessage({ channel: userId, text: 'hi' });
  await post();
  await post();
  sandbox.rateLimits.isOn = true;
  await post();
  await assert.rejects(post(), { code: ErrorCode.RateLimitedError, retryAfter: 1 });
  await sandbox.clock.advance(1000);
  await post();
  for (let i = 0; i < 20; i++) await client.users.list({});
  await assert.rejects(client.users.list({}), { code: ErrorCode.RateLimitedError });
});

test('the sandbox’s controls also work over HTTP', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { teamId, userId, client } = await install(sandbox);
  const control = async (name: string, body: unknown = {}) => {
    const answer = await fetch(`${sandbox.url}/sandbox/${name}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return {
      status: answer.status,
      ...((await answer.json()) as { ok: boolean; result: unknown; error?: string }),
    };
  };
  assert.equal((await control('open-home', { teamId, userId })).ok, true);
  assert.equal(app.events('app_home_opened').length, 1);
  assert.equal((await control('open-home', { teamId })).status, 400);
  assert.equal((await control('open-home', { teamId: 'T0', userId })).status, 409);
  await control('faults', { method: 'auth.test', failure: { type: 'error', error: 'internal_error' } });
  await refused(client.auth.test(), 'internal_error');
  const before = sandbox.clock.now();
  await control('clock', { advanceMs: 3_600_000 });
  assert.ok(sandbox.clock.now() - before >= 3_600_000);
  const state = (await (await fetch(`${sandbox.url}/sandbox/state`)).json()) as { installations: unknown[] };
  assert.equal(state.installations.length, 1);
  const calls = (await (await fetch(`${sandbox.url}/sandbox/calls?method=auth.test`)).json()) as unknown[];
  assert.equal(calls.length, 1);
  await control('reset');
  await refused(clientFor(sandbox, sandbox.calls()[0]?.token ?? 'xoxb').auth.test(), 'invalid_auth');
  assert.equal(sandbox.state().installations.length, 0);
});

test('a test can add a workspace to the sandbox, and a reset removes it', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { id } = sandbox.addWorkspace({ name: 'Hooli' });
  const { client, userId } = await install(sandbox, 'Hooli');
  assert.equal((await client.team.info()).team?.id, id);
  assert.equal((await client.users.info({ user: userId })).user?.is_owner, true);
  sandbox.reset();
  assert.throws(() => sandbox.workspace('Hooli'));
});

test('the control API can kill and restart the app’s process only if the sandbox was given control of it', async (t) => {
  const asked: string[] = [];
  const appProcess = {
    kill: async () => void asked.push('kill'),
    restart: async () => void asked.push('restart'),
  };
  const { sandbox } = await withSandbox(t, { appProcess });
  for (const what of ['kill', 'restart']) {
    const answer = await fetch(`${sandbox.url}/sandbox/app/${what}`, { method: 'POST' });
    assert.equal(answer.status, 200);
  }
  assert.deepEqual(asked, ['kill', 'restart']);
  const without = await withSandbox(t);
  const refusal = await fetch(`${without.sandbox.url}/sandbox/app/kill`, { method: 'POST' });
  assert.equal(refusal.status, 409);
});

test('the control API can sign a person in, and can add, deactivate and reactivate members', async (t) => {
  const { sandbox } = await withSandbox(t);
  const control = async (name: string, body: Record<string, unknown>) => {
    const answer = await fetch(`${sandbox.url}/sandbox/${name}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return { status: answer.status, ...((await answer.json()) as { result?: Record<string, string> }) };
  };
  const { id: teamId } = sandbox.workspace('Acme');
  const added = await control('add-member', { teamId, realName: 'Gus Guest', role: 'guest' });
  const userId = added.result?.id ?? '';
  const query = new URLSearchParams({
    client_id: sandbox.app.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid',
  });
  const authorizeUrl = `${sandbox.url}/openid/connect/authorize?${query}`;
  assert.match((await control('sign-in', { authorizeUrl, userId })).result?.location ?? '', /[?]code=/);
  await control('deactivate', { userId });
  assert.equal((await control('sign-in', { authorizeUrl, userId })).status, 409);
  await control('reactivate', { userId });
  assert.equal((await control('sign-in', { authorizeUrl, userId })).status, 200);
});
