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
    it(`a rate limit with Retry-After "${header}" gives a wait of ${waitMs} ms`, async () => {
      const failure = await failureOf(answer({ ok: false }, 429, { 'retry-after': header }));
      assert.deepEqual([failure?.kind, failure?.retryAfterMs], ['rate-limited', waitMs]);
    });
  }

  it('a 429 without Retry-After gives a wait of half a minute', async () => {
    const failure = await failureOf(answer({ ok: false }, 429));
    assert.deepEqual([failure?.kind, failure?.retryAfterMs], ['rate-limited', 30_000]);
  });

  it('Foyer stops reading an answer that is longer than a mebibyte, and closes the connection', async () => {
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

  it('a rate limit gives the wait that Slack asks for', async () => {
    const failure = await failureOf(answer({ ok: false }, 429, { 'retry-after': '7' }));
    assert.deepEqual(
      [failure?.kind, failure?.retryAfterMs, failure?.mayHaveActed],
      ['rate-limited', 7000, false],
    );
  });

  it('a rate limit that Slack answers with status 200 gives a wait of half a minute', async () => {
    const failure = await failureOf(answer({ ok: false, error: 'ratelimited' }));
    assert.deepEqual([failure?.kind, failure?.retryAfterMs], ['rate-limited', 30_000]);
  });

  it('after a 5xx, Slack counts as unreachable, and may have acted', async () => {
    for (const status of [500, 502, 503]) {
      const failure = await failureOf(answer({ ok: false }, status));
      assert.deepEqual(
        [failure?.kind, failure?.code, failure?.mayHaveActed],
        ['unreachable', `http_${status}`, true],
      );
    }
  });

  it('if Slack does not answer within the time limit, it counts as unreachable, and may have acted', async () => {
    const failure = await failureOf(() => {}, { timeoutMs: 60 });
    assert.deepEqual([failure?.kind, failure?.code, failure?.mayHaveActed], ['unreachable', 'timeout', true]);
  });

  it('the time limit also applies to an answer that begins and never ends', async () => {
    const failure = await failureOf((res) => void res.writeHead(200).write('{"ok":'), { timeoutMs: 60 });
    assert.equal(failure?.kind, 'unreachable');
    assert.equal(failure?.mayHaveActed, true);
  });

  it('a call ends when its signal is aborted', async () => {
    const controller = new AbortController();
    const failure = await failureOf(() => controller.abort(), { signal: controller.signal });
    assert.equal(failure?.kind, 'unreachable');
  });

  it('a call sends nothing if its signal is already aborted', async () => {
    const before = seen.length;
    const failure = await failureOf(answer({ ok: true }), { signal: AbortSignal.abort() });
    assert.equal(failure?.kind, 'unreachable');
    assert.equal(seen.length, before);
  });

  it('a finished call leaves no listener on its caller’s signal, and no timer', async () => {
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

  it('a connection that is reset means that Slack may have acted', async () => {
    const failure = await failureOf((res) => void res.socket?.destroy());
    assert.deepEqual(
      [failure?.kind, failure?.code, failure?.mayHaveActed],
      ['unreachable', 'connection_failed', true],
    );
  });

  it('a connection that is refused means that Slack has not acted', async () => {
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

  it('an unreadable answer means that Slack may have acted, and its text is not quoted', async () => {
    const failure = await failureOf((res) => void res.end('<html>xoxb-secret'));
    assert.deepEqual([failure?.code, failure?.mayHaveActed], ['malformed_answer', true]);
    assert.ok(!JSON.stringify(failure).includes('secret'));
  });

  it('a dead token does not count as a refusal, and a refusal for a missing scope names the scope', async () => {
    for (const error of ['account_inactive', 'token_revoked', 'invalid_auth', 'not_authed']) {
      assert.equal((await failureOf(answer({ ok: false, error })))?.kind, 'token-dead');
    }
    const failure = await failureOf(answer({ ok: false, error: 'missing_scope', needed: 'im:write' }));
    assert.deepEqual([failure?.kind, failure?.code], ['refused', 'missing_scope']);
    assert.match(failure?.message ?? '', /im:write/);
  });

  it('an internal error of Slack counts as an unreachable Slack', async () => {
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

  it('a Slack client runs 120 calls at the same time, since a call that the SDK queues has no time limit', async () => {
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
