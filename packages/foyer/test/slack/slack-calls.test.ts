import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/config/log.ts';
import { createSlackClientFactory, type SlackCall } from '../../src/slack/create-slack-client.ts';

const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });
const config = { slack: { apiUrl: 'https://slack.test/api/', throughProxy: false } } as never;

/** The reports of a call that Slack answers like this. */
async function toldOf(status: number, body: string): Promise<string> {
  const told: SlackCall[] = [];
  const slack = createSlackClientFactory({
    config,
    log,
    onCall: (call) => told.push(call),
    transport: async () => ({ status, headers: new Headers(), body: Buffer.from(body) }),
  });
  await slack('xoxb-1')
    .apiCall('auth.test')
    .catch(() => {});
  return told.map((call) => `${call.method} ${call.result}`).join();
}

test('each call is reported once, with its result', async () => {
  assert.equal(await toldOf(200, '{"ok":true,"user":"grace"}'), 'auth.test ok');
  assert.equal(await toldOf(200, '{ "user": "grace", "ok": true }'), 'auth.test ok');
  assert.equal(await toldOf(200, '{"ok":false,"error":"token_revoked"}'), 'auth.test error');
  assert.equal(await toldOf(200, '{"error":"{\\"ok\\":true"}'), 'auth.test error');
  assert.equal(await toldOf(200, '[]'), 'auth.test error');
  assert.equal(await toldOf(200, '<html>'), 'auth.test http_error');
  assert.equal(await toldOf(307, '{"ok":true}'), 'auth.test http_error');
  assert.equal(await toldOf(503, '{"ok":true}'), 'auth.test http_error');
  assert.equal(await toldOf(429, '{"ok":false,"error":"ratelimited"}'), 'auth.test rate_limited');
});
