import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createLogger } from '../../src/config/log.ts';
import { slackClientOptions } from '../../src/slack/create-slack-client.ts';
import { createSlackTransport } from '../../src/slack/slack-transport.ts';
import { createVisitor, eventually } from '../../src/testing/visitor.ts';
import { startRawSlack } from '../support/raw-slack.ts';
import { setStage } from '../support/start-foyer.ts';

/**
 * Slack answers the code exchange late. In the first two tests, Slack sends only half of its answer at first. In the
 * first test, the other half arrives after Foyer sent the page; in the second test, Foyer is stopped before the other
 * half arrives. In the last test, the whole answer arrives while the event loop is blocked.
 */

const text = JSON.stringify({
  ok: true,
  access_token: 'xoxb-late-bot',
  scope: 'chat:write',
  bot_user_id: 'UB1',
  team: { id: 'T1', name: 'Team' },
  authed_user: { id: 'U1', scope: 'users:read', access_token: 'xoxp-late-user' },
});
const half = text.indexOf('"scope"');

/** Begins an install. Slack's answer to the exchange stops after the bot's token. */
async function begin(t: TestContext) {
  const slack = await startRawSlack(t);
  const stage = await setStage({ environment: { SLACK_API_URL: slack.apiUrl } });
  t.after(() => stage.close());
  // The first half of the answer does not say whose token it is, so Foyer asks `auth.test`.
  slack.testWith({ ok: true, team_id: 'T1', user_id: 'UB1' });
  const { promise: asked, resolve } = Promise.withResolvers<Socket>();
  slack.onExchange((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text.slice(0, half)}`);
    resolve(socket);
  });
  const visitor = createVisitor();
  const start = await visitor.get(`${stage.url}/slack/install`);
  const state = new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? '';
  const query = new URLSearchParams({ code: 'c', state });
  const answer = visitor.get(`${stage.url}/slack/oauth_redirect?${query}`);
  const socket = await asked;
  const kept = async (): Promise<number> => {
    const rows = await stage.database.rows('select id from install_requests where sealed_tokens is not null');
    return rows.length;
  };
  return { slack, stage, answer, socket, kept };
}

test('if Slack’s response to the code exchange stalls, Foyer first revokes the tokens that have arrived, then sends the failure page, and later revokes the other tokens', async (t) => {
  const { slack, stage, answer, socket, kept } = await begin(t);
  await eventually(async () => (await kept()) === 1);
  assert.equal((await answer).status, 502);
  assert.deepEqual([...slack.revoked], ['xoxb-late-bot']);
  assert.equal(await kept(), 0);
  socket.write(text.slice(half));
  await eventually(async () => slack.revoked.has('xoxp-late-user'));
  await eventually(async () => (await kept()) === 0);
  await eventually(async () => stage.logged().some((line) => line.includes('request had ended')));
  assert.equal(
    stage
      .logged()
      .join('\n')
      .match(/xox[bp]-late/),
    null,
    'a token is in the log',
  );
});

test('if Foyer stops before it can revoke the tokens of an unfinished install, it keeps them and revokes them after the next start', async (t) => {
  const { slack, stage, answer, kept } = await begin(t);
  await eventually(async () => (await kept()) === 1);
  const stopped = performance.now();
  // While Foyer stops, Slack refuses revocations, so Foyer cannot revoke the token.
  const away = new Set(slack.revoked);
  slack.refuseRevoke(true);
  await stage.stop();
  assert.ok(performance.now() - stopped < 10_000, 'the stop takes too long');
  await answer.catch(() => {});
  assert.deepEqual(slack.revoked, away);
  assert.equal(await kept(), 1);
  slack.refuseRevoke(false);
  await stage.database.change('update install_requests set started_at = started_at - 120000');
  await stage.start();
  await eventually(async () => slack.revoked.has('xoxb-late-bot'));
  await eventually(async () => (await kept()) === 0);
});

test('Foyer reads a Slack response that arrived in time, even if the event loop was blocked past the time limit', async (t) => {
  /**
   * Flags between the threads: 0, the request has arrived; 1, the worker may send the answer; 2, the worker has sent
   * it.
   */
  const flags = new Int32Array(new SharedArrayBuffer(16));
  const code = `
    const { parentPort, workerData: flags } = require('node:worker_threads');
    const set = (n) => { Atomics.store(flags, n, 1); Atomics.notify(flags, n); };
    const server = require('node:http').createServer((req, res) => {
      req.resume().on('end', () => {
        set(0);
        Atomics.wait(flags, 1, 0);
        res.on('finish', () => set(2)).end('{"ok":true}');
      });
    }).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true, workerData: flags });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const apiUrl = `http://127.0.0.1:${port}/api/`;
  const timeoutMs = 2000;
  const { fetch: slackFetch } = slackClientOptions(
    {
      config: { slack: { apiUrl } } as never,
      log: createLogger({ logLevel: 'silent', secrets: [] }),
      transport: createSlackTransport({ throughProxy: false }),
    },
    { timeoutMs },
  );
  const called = performance.now();
  const answer = slackFetch(`${apiUrl}oauth.v2.access`, { method: 'POST', body: 'code=1' });
  await Atomics.waitAsync(flags, 0, 0).value;
  Atomics.store(flags, 1, 1);
  Atomics.notify(flags, 1);
  Atomics.wait(flags, 2, 0);
  // The event loop stays blocked until the time limit of the call has passed.
  Atomics.wait(flags, 3, 0, timeoutMs + 100 - (performance.now() - called));
  assert.deepEqual(await (await answer).json(), { ok: true });
});
