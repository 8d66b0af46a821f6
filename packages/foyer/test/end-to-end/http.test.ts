import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { foyerVersion } from '../../src/config/version.ts';
import { createVisitor } from '../../src/testing/visitor.ts';
import { signedPost } from '../faults/support/signed-post.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

/**
 * Sends raw HTTP, since `fetch` sends only valid, complete requests; resolves to everything received until the
 * connection closes.
 */
function speak(
  url: string,
  lines: string[],
  options: { body?: Buffer; withinMs?: number } = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const heard: Buffer[] = [];
    socket.setTimeout(options.withinMs ?? 12_000, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (part) => heard.push(part));
    socket.on('error', (error) =>
      heard.length > 0 ? resolve(Buffer.concat(heard).toString()) : reject(error),
    );
    socket.on('close', () => resolve(Buffer.concat(heard).toString()));
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    if (options.body) socket.write(options.body);
  });
}

describe('the landing page and failure pages', () => {
  let stage: Stage;
  before(async () => {
    stage = await setStage();
  });
  after(() => stage.close());

  const paths = [
    '/',
    '/slack/oauth_redirect',
    '/installs/nobody',
    '/no/such/page',
    '/slack/oauth_redirect?error=access_denied',
  ];

  it('the landing page and failure pages have the security headers, and are not cached', async () => {
    for (const path of paths) {
      const { headers } = await createVisitor().get(stage.url + path);
      const policy = headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.ok(!/unsafe-inline|unsafe-eval|\*/.test(policy), policy);
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('x-frame-options'), 'DENY');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.match(headers.get('content-type') ?? '', /^text\/html; charset=utf-8/);
    }
  });

  it('each response has its own nonce, even for the same page', async () => {
    for (const path of ['/', '/no/such/page']) {
      const nonces: string[] = [];
      for (let n = 0; n < 2; n += 1) {
        const answer = await createVisitor().get(stage.url + path);
        const policy = answer.headers.get('content-security-policy') ?? '';
        const [, nonce = ''] = /style-src 'nonce-([\w-]{22})'/.exec(policy) ?? [];
        assert.ok(nonce && (await answer.text()).includes(`nonce="${nonce}"`), policy);
        nonces.push(nonce);
      }
      assert.notEqual(nonces[0], nonces[1], path);
    }
  });

  it('Foyer answers HEAD with the status of GET, and without a body', async () => {
    for (const path of ['/', '/slack/install', '/healthz', '/no/such/page']) {
      const [get, head] = await Promise.all(
        (['GET', 'HEAD'] as const).map((method) => fetch(stage.url + path, { method, redirect: 'manual' })),
      );
      assert.equal(head?.status, get?.status, path);
      assert.equal(await head?.text(), '');
    }
  });

  it('Foyer answers 404 for an unknown page and 405 for a wrong method', async () => {
    assert.equal((await fetch(`${stage.url}/operator`)).status, 404);
    assert.equal((await fetch(`${stage.url}/`, { method: 'POST', body: 'x' })).status, 405);
    assert.equal((await fetch(`${stage.url}/slack/events`)).status, 405);
  });

  it('/healthz and /readyz report that Foyer is running and ready, and the log and /healthz name Foyer’s version', async () => {
    for (const [path, more] of [
      ['/healthz', { version: foyerVersion }],
      ['/readyz', {}],
    ] as const) {
      const answer = await fetch(stage.url + path);
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), { status: 'ok', ...more });
    }
    const ready = stage.logged().find((line) => line.includes('Foyer is ready'));
    assert.equal(JSON.parse(ready ?? '{}').version, foyerVersion);
  });
});

describe('the redirect from /slack/install', () => {
  let stage: Stage;
  before(async () => {
    stage = await setStage();
  });
  after(() => stage.close());

  it('the redirect from /slack/install leads to Slack with the scopes of the manifest, the requested team and a state', async () => {
    const answer = await createVisitor().get(`${stage.url}/slack/install?team=T0123ABC`);
    assert.equal(answer.status, 302);
    const url = new URL(answer.headers.get('location') ?? '');
    assert.equal(url.origin + url.pathname, stage.sandbox.authorizationUrl);
    assert.equal(url.searchParams.get('scope'), stage.config.slack.botScopes.join(','));
    assert.equal(url.searchParams.get('client_id'), stage.config.slack.clientId);
    assert.equal(url.searchParams.get('redirect_uri'), `${stage.url}/slack/oauth_redirect`);
    assert.equal(url.searchParams.get('team'), 'T0123ABC');
    assert.ok((url.searchParams.get('state') ?? '').length > 50);
  });

  it('the redirect from /slack/install leaves out an invalid team id', async () => {
    for (const team of [
      'https://evil.example',
      't0123',
      '<script>',
      'T0123%0d%0aSet-Cookie:x',
      'X'.repeat(500),
    ]) {
      const answer = await createVisitor().get(`${stage.url}/slack/install?team=${team}`);
      assert.equal(new URL(answer.headers.get('location') ?? '').searchParams.get('team'), null, team);
    }
  });

  it('the redirect from /slack/install stores no install request, however often browsers request it', async () => {
    const count = (): number => {
      const database = new Sqlite(stage.databaseFile, { readonly: true });
      const { n } = database.prepare('select count(*) as n from install_requests').get() as { n: number };
      database.close();
      return n;
    };
    await Promise.all(Array.from({ length: 50 }, () => createVisitor().get(`${stage.url}/slack/install`)));
    assert.equal(count(), 0);
  });
});

describe('a stranger', () => {
  let stage: Stage;
  before(async () => {
    stage = await setStage();
  });
  after(() => stage.close());

  it('a stranger’s event is refused if its signature is missing, old or wrong', async () => {
    const { sandbox } = stage;
    const event = { type: 'app_uninstalled' };
    const teamId = sandbox.workspace('Acme').id;
    const old = Math.floor(Date.now() / 1000) - 400;
    for (const wrong of [{ signature: 'none' }, { signature: 'wrong' }, { timestampSeconds: old }] as const) {
      const delivery = await sandbox.sendEvent({ event, teamId, ...wrong });
      await sandbox.settled();
      assert.equal(delivery?.status, 401, JSON.stringify(wrong));
    }
  });

  /** Headers that a stranger can write: Slack's format, a current timestamp, and a signature that is not Slack's. */
  const plausible = () => [
    'POST /slack/events HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `X-Slack-Request-Timestamp: ${Math.floor(Date.now() / 1000)}`,
    `X-Slack-Signature: v0=${'a'.repeat(64)}`,
  ];

  it('a stranger’s request is refused before its body arrives if its headers cannot come from Slack', async () => {
    const old = Math.floor(Date.now() / 1000) - 400;
    for (const wrong of [
      ['POST /slack/events HTTP/1.1', 'Host: localhost'],
      plausible().map((line) => line.replace('v0=', 'v9=')),
      plausible().map((line) => line.replace(/(Timestamp: )\d+/, `$1${old}`)),
      plausible().map((line) => line.replace(/(Timestamp: )\d+/, `$1${old + 800}`)),
    ]) {
      const startedAt = performance.now();
      const answer = await speak(stage.url, [...wrong, 'Content-Length: 1000000']);
      assert.match(answer, /^HTTP\/1\.1 401 /);
      assert.ok(performance.now() - startedAt < 3000, 'it does not wait for the body');
    }
  });

  it('a stranger gets 413 for a large body, whether or not a Content-Length announces it', async () => {
    const announced = await speak(stage.url, [...plausible(), 'Content-Length: 52428800']);
    assert.match(announced, /^HTTP\/1\.1 413 /);
    const chunk = Buffer.alloc(70_000, 97);
    const chunked = Buffer.concat(
      Array.from({ length: 40 }, () =>
        Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
      ),
    );
    const grown = await speak(stage.url, [...plausible(), 'Transfer-Encoding: chunked'], { body: chunked });
    assert.match(grown, /^HTTP\/1\.1 413 /);
  });

  it('a stranger cannot hold a connection open with a body that never arrives', async () => {
    const startedAt = performance.now();
    await speak(stage.url, [...plausible(), 'Content-Length: 100'], {
      body: Buffer.from('{'),
      withinMs: 14_000,
    });
    assert.ok(performance.now() - startedAt < 12_000);
  });

  it('no path, query or cookie gets a stranger a 5xx, an echo of the input or a hanging response', async () => {
    const marker = 'zq7<i>"\'&';
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(marker, '%00', '..', '%2e%2e%2f', 'constructor', '__proto__', 'T1'),
    );
    const query = fc.array(fc.tuple(fc.constantFrom('code', 'state', 'error', 'team', 'x'), piece), {
      maxLength: 5,
    });
    const place = fc.constantFrom(
      '/',
      '/slack/install',
      '/slack/oauth_redirect',
      '/installs/',
      '/installs/x/status',
      '/healthz',
      '/',
    );
    await fc.assert(
      fc.asyncProperty(
        place,
        piece,
        query,
        fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'),
        async (path, tail, pairs, method) => {
          const url = `${stage.url}${path}${encodeURIComponent(tail)}?${new URLSearchParams(pairs)}`;
          const headers = {
            cookie: `foyer-state-${encodeURIComponent(tail).slice(0, 50)}=x; a=${'b'.repeat(200)}`,
          };
          const answer = await fetch(url, {
            method,
            headers,
            redirect: 'manual',
            signal: AbortSignal.timeout(5000),
          });
          const text = await answer.text();
          assert.ok(answer.status < 500, `${method} ${url} → ${answer.status}`);
          assert.ok(!text.includes(marker), `${url} is echoed`);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('Foyer answers 400 to a signed body with a malformed type, event or challenge', async () => {
    const { signingSecret } = stage.sandbox.app;
    for (const body of [
      { type: 'event_callback', event: { type: { toString: 1 } } },
      { type: 'event_callback', event: null },
      { type: 'event_callback', event: ['app_uninstalled'] },
      { type: { toString: 1 } },
      { type: 5 },
      { type: 'url_verification', challenge: { toString: 1 } },
    ]) {
      const answer = await signedPost({ url: stage.url, signingSecret, body, form: false });
      assert.equal(answer.status, 400, JSON.stringify(body));
    }
  });

  it('a stranger cannot make a redirect lead to another site', async () => {
    for (const path of [
      '//evil.example',
      '/\\evil.example',
      '/installs//evil.example',
      '/slack/install?redirect_uri=https://evil.example',
      '/?next=https://evil.example',
    ]) {
      const answer = await createVisitor().get(`${stage.url}${path}`);
      const location = answer.headers.get('location');
      if (location) assert.equal(new URL(location).origin, stage.sandbox.url);
      if (location) assert.ok(!location.includes('evil.example'), location);
    }
  });
});
