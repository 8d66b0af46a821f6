import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it, mock } from 'node:test';
import { createLogger } from '../../src/config/log.ts';
import { createSlackClientFactory, type SlackCallLimits } from '../../src/slack/create-slack-client.ts';
import { slackFailure } from '../../src/slack/slack-failure.ts';

/** Answers the calls to the fake Slack; each test sets it. */
let next: (res: ServerResponse) => void = () => {};
const seen: { authorization: string | undefined; path: string | undefined }[] = [];
const server = createServer((req, res) => {
  seen.push({ authorization: req.headers.authorization, path: req.url });
  req.resume().on('end', () => next(res));
});
let apiUrl = '';

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const log = createLogger({ logLevel: 'silent', secrets: [] });

function clientFor(token: string, limits?: SlackCallLimits, url = apiUrl) {
  const slack = { apiUrl: url } as never;
  return createSlackClientFactory({ config: { slack }, log })(token, limits);
}

async function failureOf(behaviour: (res: ServerResponse) => void, limits?: SlackCallLimits) {
  next = behaviour;
  const error = await clientFor('xoxb-1', limits)
    .auth.test()
    .then(
      () => assert.fail('the call succeeded'),
      (reason) => reason,
    );
  return slackFailure(error);
}

const answer =
  (value: unknown, status = 200, headers = {}) =>
  (res: ServerResponse) =>
    void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

describe('how Foyer reads a failed call to Slack', () => {
  const odd: [header: string, waitMs: number][] = [
    ['banana', 30_000],
    ['', 30_000],
    ['NaN', 30_000],
    ['Infinity', 30_000],
    ['-5', 1000],
    ['0', 1000],
    ['1.5', 2000],
    ['99999999999999', 3_600_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 30_000],
  ];
  for (const [header, waitMs] of odd) {
    it(`slackFailure reports a wait of ${waitMs} ms for a rate limit with Retry-After "${header}"`, async () => {
      const failure = await failureOf(answer({ ok: false }, 429, { 'retry-after': header }));
      assert.deepEqual([failure?.kind, failure?.retryAfterMs], ['rate-limited', waitMs]);
    });
  }

  it('slackFailure reports a wait of half a minute for a 429 without Retry-After', async () => {
    const failure = await failureOf(answer({ ok: false }, 429));
    assert.deepEqual([failure?.kind, failure?.retryAfterMs], ['rate-limited', 30_000]);
  });

  it('Foyer stops reading a response from Slack that is too large, and closes the connection', async () => {
    let sentBytes = 0;
    const closed = Promise.withResolvers<void>();
    const failure = await failureOf((res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const piece = Buffer.alloc(65_536, ' ');
      const pour = (): void => {
        for (; sentBytes < 50e6; sentBytes += piece.length) if (!res.write(piece)) return;
        res.end('{"ok":true}');
      };
      res.on('drain', pour).on('close', closed.resolve);
      pour();
    });
    assert.deepEqual([failure?.kind, failure?.code], ['unreachable', 'answer_too_large']);
    await closed.promise;
    assert.ok(sentBytes < 25e6, `Slack sent ${sentBytes} bytes`);
  });

  it('if Slack answers with status 429, slackFailure reports how long Slack asks to wait', async () => {
    const failure = await failureOf(answer({ ok: false }, 429, { 'retry-after': '7' }));
    assert.deepEqual(
      [failure?.kind, failure?.retryAfterMs, failure?.mayHaveActed],
      ['rate-limited', 7000, false],
    );
  });

  it('slackFailure reports a wait of half a minute for a rate limit that comes with status 200', async () => {
    const failure = await failureOf(answer({ ok: false, error: 'ratelimited' }));
    assert.deepEqual([failure?.kind, failure?.retryAfterMs], ['rate-limited', 30_000]);
  });

  it('slackFailure counts Slack as unreachable after a 5xx, and says that Slack may have acted', async () => {
    for (const status of [500, 502, 503]) {
      const failure = await failureOf(answer({ ok: false }, status));
      assert.deepEqual(
        [failure?.kind, failure?.code, failure?.mayHaveActed],
        ['unreachable', `http_${status}`, true],
      );
    }
  });

  it('slackFailure counts Slack as unreachable after a timeout, and says that Slack may have acted', async () => {
    const failure = await failureOf(() => {}, { timeoutMs: 60 });
    assert.deepEqual([failure?.kind, failure?.code, failure?.mayHaveActed], ['unreachable', 'timeout', true]);
  });

  it('the time limit of a call to Slack also applies to a response that starts and never ends', async () => {
    const failure = await failureOf((res) => void res.writeHead(200).write('{"ok":'), { timeoutMs: 60 });
    assert.equal(failure?.kind, 'unreachable');
    assert.equal(failure?.mayHaveActed, true);
  });

  it('a call to Slack ends when its signal is aborted', async () => {
    const controller = new AbortController();
    const failure = await failureOf(() => controller.abort(), { signal: controller.signal });
    assert.equal(failure?.kind, 'unreachable');
  });

  it('a call to Slack sends nothing if its signal is already aborted', async () => {
    const before = seen.length;
    const failure = await failureOf(answer({ ok: true }), { signal: AbortSignal.abort() });
    assert.equal(failure?.kind, 'unreachable');
    assert.equal(seen.length, before);
  });

  it('a finished call to Slack leaves neither a timer nor a listener on the caller’s signal', async () => {
    const { signal } = new AbortController();
    const clear = mock.method(globalThis, 'clearTimeout');
    const set = mock.method(globalThis, 'setTimeout');
    next = answer({ ok: true });
    await clientFor('xoxb-1', { signal, timeoutMs: 61_234 }).auth.test();
    mock.restoreAll();
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
    const ours = set.mock.calls.filter((call) => call.arguments[1] === 61_234);
    assert.equal(ours.length, 1);
    assert.ok(clear.mock.calls.some((call) => call.arguments[0] === ours[0]?.result));
  });

  it('slackFailure says that Slack may have acted if the connection was reset', async () => {
    const failure = await failureOf((res) => void res.socket?.destroy());
    assert.deepEqual(
      [failure?.kind, failure?.code, failure?.mayHaveActed],
      ['unreachable', 'connection_failed', true],
    );
  });

  it('slackFailure says that Slack has not acted if the connection was refused', async () => {
    const unused = createServer().listen(0, '127.0.0.1');
    await once(unused, 'listening');
    const { port } = unused.address() as AddressInfo;
    await new Promise((closed) => unused.close(closed));
    const error = await clientFor('xoxb-1', {}, `http://127.0.0.1:${port}/api/`)
      .auth.test()
      .catch((reason) => reason);
    assert.deepEqual(
      [slackFailure(error)?.code, slackFailure(error)?.mayHaveActed],
      ['connection_failed', false],
    );
  });

  it('slackFailure says that Slack may have acted if the response is unreadable, and does not quote the response', async () => {
    const failure = await failureOf((res) => void res.end('<html>xoxb-secret'));
    assert.deepEqual([failure?.code, failure?.mayHaveActed], ['malformed_answer', true]);
    assert.ok(!JSON.stringify(failure).includes('secret'));
  });

  it('slackFailure distinguishes a dead token from a missing scope, and names the missing scope', async () => {
    for (const error of ['account_inactive', 'token_revoked', 'invalid_auth', 'not_authed']) {
      assert.equal((await failureOf(answer({ ok: false, error })))?.kind, 'token-dead');
    }
    const failure = await failureOf(answer({ ok: false, error: 'missing_scope', needed: 'im:write' }));
    assert.deepEqual([failure?.kind, failure?.code], ['refused', 'missing_scope']);
    assert.match(failure?.message ?? '', /im:write/);
  });

  it('slackFailure counts Slack as unreachable if Slack answers internal_error', async () => {
    assert.equal((await failureOf(answer({ ok: false, error: 'internal_error' })))?.kind, 'unreachable');
  });

  it('slackFailure returns undefined for errors that are not from Slack', () => {
    assert.equal(slackFailure(new Error('bug')), undefined);
    assert.equal(slackFailure(undefined), undefined);
  });
});

describe('a Slack client', () => {
  it('a Slack client does not retry a call that fails', async () => {
    seen.length = 0;
    await failureOf(answer({ ok: false }, 500));
    assert.equal(seen.length, 1);
  });

  it('a Slack client follows no redirect', async () => {
    seen.length = 0;
    const failure = await failureOf((res) => void res.writeHead(307, { location: '/elsewhere' }).end());
    assert.equal(failure?.kind, 'unreachable');
    assert.deepEqual(
      seen.map((call) => call.path),
      ['/api/auth.test'],
    );
  });

  it('a Slack client sends 120 calls at once instead of queuing them, since the SDK applies no time limit to a queued call', async () => {
    const held: ServerResponse[] = [];
    const allThere = Promise.withResolvers<void>();
    next = (res) => {
      if (held.push(res) === 120) allThere.resolve();
    };
    const client = clientFor('xoxb-1');
    const calls = Array.from({ length: 120 }, () => client.auth.test());
    await Promise.race([allThere.promise, Promise.all(calls)]);
    for (const res of held) answer({ ok: true })(res);
    await Promise.all(calls);
  });

  it('each of two clients sends its own token', async () => {
    seen.length = 0;
    next = answer({ ok: true });
    const [first, second] = [clientFor('xoxb-first'), clientFor('xoxb-second')];
    await second.auth.test();
    await first.auth.test();
    assert.deepEqual(
      seen.map((call) => call.authorization),
      ['Bearer xoxb-second', 'Bearer xoxb-first'],
    );
  });
});
