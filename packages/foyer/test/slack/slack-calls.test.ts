import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLogger } from '../../src/config/log.ts';
import {
  createSlackClientFactory,
  type SlackCall,
  slackClientOptions,
} from '../../src/slack/create-slack-client.ts';
import { slackFailure } from '../../src/slack/slack-failure.ts';

const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });
const config = { slack: { apiUrl: 'https://slack.test/api/', throughProxy: false } } as never;

/** What `onCall` reports about a call that Slack answers with this status and body. */
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

test('onCall is called once for each call to Slack, with the call’s result', async () => {
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

/** The text that Slack receives when Foyer posts this text. */
async function received(text: string): Promise<string | null> {
  let body: string | null = null;
  const slack = createSlackClientFactory({
    config,
    log,
    async transport(_url, sent) {
      body = sent.body;
      return { status: 200, headers: new Headers(), body: Buffer.from('{"ok":true}') };
    },
  });
  await slack('xoxb-1').chat.postMessage({ channel: 'C1', text });
  return new URLSearchParams(body ?? '').get('text');
}

test('Slack receives every text unchanged, except that U+FFFD replaces each lone surrogate', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (text) => {
      assert.equal(await received(text), text.toWellFormed());
    }),
  );
});

test('a lone surrogate in a text does not make a call to Slack fail, and the rest of the text stays unchanged', async () => {
  assert.equal(await received('a\ud83d b\udc00 c\ud83d'), 'a\ufffd b\ufffd c\ufffd');
});

test('a response from Slack is still readable after its clone was read, because Foyer reads the tokens from a clone', async () => {
  const answer = {
    status: 200,
    headers: new Headers({ 'retry-after': '3' }),
    body: Buffer.from('{"name":"Zoë"}'),
  };
  const slackFetch = slackClientOptions({ config, log, transport: async () => answer }).fetch;
  const response = (await slackFetch('https://slack.test/api/oauth.v2.access', {
    method: 'POST',
    body: 'code=1',
  })) as Response;
  assert.equal(response.headers.get('retry-after'), '3');
  assert.deepEqual(await response.clone().json(), { name: 'Zoë' });
  assert.deepEqual(await response.json(), { name: 'Zoë' });
});

test('onCall reports a response with status 204 or 304, which has no body, as an HTTP error', async () => {
  assert.equal(await toldOf(204, ''), 'auth.test http_error');
  assert.equal(await toldOf(304, ''), 'auth.test http_error');
});

/** The error of a call that Slack answers with this text. */
async function errorOf(body: string, options: Record<string, unknown> = {}): Promise<unknown> {
  const transport = async () => ({ status: 200, headers: new Headers(), body: Buffer.from(body) });
  return createSlackClientFactory({ config, log, transport })('xoxb-1')
    .apiCall('users.info', options)
    .catch((error: unknown) => error);
}

const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

for (const body of [
  ...['null', 'true', '7', '"ok"', '[]', '{}', '{"ok":null}', '{"ok":false,"error":null}', ''],
  '{"ok":true,"response_metadata":null}',
  '{"ok":true,"response_metadata":{"warnings":null}}',
  '{"ok":true,"response_metadata":{"warnings":"x"}}',
  '{"ok":true,"response_metadata":{"messages":null}}',
  '{"ok":true,"response_metadata":{"messages":5}}',
  `{"ok":true,"user":${nested}}`,
  nested,
]) {
  test(`Foyer treats a response that it cannot read as a failure of Slack: ${body.slice(0, 50)}`, async () => {
    const failure = slackFailure(await errorOf(body));
    assert.deepEqual(
      [failure?.kind, failure?.code, failure?.mayHaveActed],
      ['unreachable', 'malformed_answer', true],
    );
  });
}

test('Foyer treats options that cannot be serialized as a mistake of the caller, not as a failure of Slack', async () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const user of [circular, { count: 1n }, JSON.parse(nested)]) {
    const error = await errorOf('{"ok":true}', { user });
    assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
    assert.equal(slackFailure(error), undefined);
  }
});
