import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { before, describe, it } from 'node:test';
import { parseConfig } from '../src/config/config.ts';
import { createLogger } from '../src/config/log.ts';
import { DatabaseUnavailableError } from '../src/database/database.ts';
import { createFoyerServer, type Listening, listen } from '../src/http/own-server.ts';
import type { Route } from '../src/http/request-handler.ts';
import { createRequestHandler } from '../src/http/request-handler.ts';
import { createSendPages } from '../src/http/send-pages.ts';
import { createRoutes, needsOwnHost } from '../src/routes.ts';
import { fixtureManifest } from './support/fixture-manifest.ts';
import { openTestDatabase } from './support/open-test-database.ts';
import { brandOf, texts } from './support/test-face.ts';

const secrets = {
  SLACK_CLIENT_ID: '1.2',
  SLACK_CLIENT_SECRET: 'client-secret',
  SLACK_SIGNING_SECRET: 'signing-secret',
};
const config = parseConfig(secrets, fixtureManifest);
const logged: string[] = [];
const destination = new Writable({
  write(line, _encoding, done) {
    logged.push(String(line));
    done();
  },
});
const log = createLogger({ logLevel: 'error', secrets: [] }, { destination });

describe('the server', () => {
  let url = '';
  let listening: Listening;
  let misbehave: Route = () => {};

  before(async () => {
    const { database, close } = await openTestDatabase();
    await close();
    const pages = createSendPages({ config, brand: brandOf(), texts });
    const refusals = { add() {} };
    const unused: Route = () => assert.fail('not asked for');
    const route = createRoutes({
      startInstall: { get: (req, res) => misbehave(req, res), post: (req, res) => misbehave(req, res) },
      connects: true,
      finishInstall: (req, res) => misbehave(req, res),
      slackEvents: unused,
      progress: {
        page: async (token, res) => (token === 'of-a-bug' ? misbehave(res.req, res) : database.ping()),
        status: () => database.ping(),
        answer: () => database.ping(),
      },
      operator: (_req, res) => void res.end(),
      pages,
      database,
      isInMaintenance: async () => false,
    });
    const handler = createRequestHandler({
      basePath: '',
      route,
      needsOwnHost,
      requestIdOf: (address) => (address.endsWith('state=known') ? 'the-request' : undefined),
      http: config.http,
      pages,
      refusals,
      log,
    });
    listening = await listen(createFoyerServer({ handler, http: config.http, refusals, log }), {
      port: 0,
      host: '127.0.0.1',
    });
    url = `http://127.0.0.1:${listening.address.port}`;
  });

  it('/healthz returns 200 and /readyz returns 503 if the database does not respond', async () => {
    const [health, ready] = await Promise.all(['/healthz', '/readyz'].map((path) => fetch(url + path)));
    assert.equal(health?.status, 200);
    assert.equal(ready?.status, 503);
    assert.deepEqual(await ready?.json(), { status: 'database_unavailable' });
  });

  it('if the database is down, a progress page returns 503, and Foyer does not log the page’s secret address', async () => {
    const answer = await fetch(`${url}/installs/a-secret-address`);
    assert.equal(answer.status, 503);
    assert.match(logged.at(-1) ?? '', /"path":"\/installs\/…".*the database does not answer/);
    assert.ok(!logged.join('').includes('a-secret-address'));
    const text = await answer.text();
    assert.match(text, /database_unavailable/);
    assert.doesNotMatch(text, /Nothing was installed|could not save/, 'no one had asked for an install');
  });

  it('if a request has the wrong method, Foyer answers with 405 and the methods that the path accepts', async () => {
    const allowed = async (method: string, path: string) => {
      const { status, headers } = await fetch(url + path, { method });
      return `${status} ${headers.get('allow')}`;
    };
    assert.equal(await allowed('POST', '/'), '405 GET, HEAD');
    assert.equal(await allowed('GET', '/slack/events'), '405 POST');
    assert.equal(await allowed('HEAD', '/slack/events'), '405 POST');
    assert.equal(await allowed('HEAD', '/slack/oauth_redirect'), '405 GET');
    assert.equal(await allowed('POST', '/installs/abc/status'), '405 GET, HEAD');
    assert.equal(await allowed('PUT', '/installs/abc'), '405 GET, POST, HEAD');
    assert.equal(await allowed('POST', '/nowhere'), '404 null');
  });

  it('a path with one trailing slash is served like the path without it', async () => {
    misbehave = (_req, res) => void res.writeHead(302, { Location: '/' }).end();
    for (const path of ['/slack/install/', '/slack/install/?team=T1']) {
      assert.equal((await fetch(url + path, { redirect: 'manual' })).status, 302, path);
    }
    assert.equal((await fetch(`${url}/healthz/`)).status, 200);
    assert.equal((await fetch(`${url}/slack/events/`)).status, 405);
    assert.equal((await fetch(`${url}/slack//install`)).status, 404);
  });

  it('a request that reads a session or posts a form is accepted only under the host name of PUBLIC_URL', async () => {
    const ask = (path: string, host: string, method = 'GET') =>
      new Promise<string>((resolve, reject) => {
        let heard = '';
        connect(listening.address.port, '127.0.0.1', function (this: Socket) {
          const length = method === 'POST' ? 'Content-Length: 0\r\n' : '';
          this.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${length}Connection: close\r\n\r\n`);
        })
          .setEncoding('utf8')
          .on('data', (part) => {
            heard += part;
          })
          .on('error', reject)
          .on('close', () => resolve(heard));
      });
    misbehave = (_req, res) => void res.writeHead(302, { Location: '/' }).end();
    const own = 'localhost:3000';
    for (const path of ['/operator', '/operator/login', '/operator/', '/slack/install?connect=x']) {
      for (const host of [
        'evil.example',
        `evil.example:3000`,
        '127.0.0.1:3000',
        'localhost',
        `${own}.evil.example`,
      ]) {
        const answer = await ask(path, host);
        assert.match(answer, /^HTTP\/1\.1 421 /, `${path} ${host}`);
        assert.ok(!answer.includes('evil.example'));
        assert.match(answer, /href="http:\/\/localhost:3000\/"/);
      }
      assert.doesNotMatch(await ask(path, own), /^HTTP\/1\.1 421 /);
      assert.doesNotMatch(await ask(path, own.toUpperCase()), /^HTTP\/1\.1 421 /);
    }
    assert.match(await ask('/installs/abc', 'evil.example', 'POST'), /^HTTP\/1\.1 421 /);
    for (const path of ['/slack/install', '/slack/install/', '/slack/install?team=T1']) {
      assert.match(await ask(path, 'evil.example', 'POST'), /^HTTP\/1\.1 421 /, path);
      assert.match(await ask(path, own, 'POST'), /^HTTP\/1\.1 302 /, path);
    }
    for (const path of ['/healthz', '/slack/install', '/']) {
      assert.match(await ask(path, '10.0.0.7:3000'), /^HTTP\/1\.1 [23]\d\d /, path);
    }
  });

  it('Foyer sends the security headers with pages, health checks, redirects and errors', async () => {
    misbehave = (_req, res) => void res.writeHead(302, { Location: '/' }).end();
    for (const path of ['/', '/healthz', '/readyz', '/slack/install', '/nowhere', '/slack/events']) {
      const { headers } = await fetch(url + path, { redirect: 'manual' });
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors/, path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('x-frame-options'), 'DENY', path);
      assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
      assert.equal(headers.get('cache-control'), 'no-store', path);
      assert.equal(headers.get('strict-transport-security'), null, 'browsers ignore it over http');
    }
  });

  it('Foyer sends the security headers even if Node’s HTTP server rejects the request', async () => {
    const refused = [
      ['GET / HTTP/1.1\r\nHost: x\r\nX-A\n: b\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['GET / HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n', /^HTTP\/1\.1 417 /],
    ] as const;
    for (const [request, status] of refused) {
      const socket = connect(listening.address.port, '127.0.0.1');
      socket.end(request);
      let heard = '';
      for await (const part of socket.setEncoding('utf8')) heard += part;
      assert.match(heard, status);
      for (const header of [
        'Cache-Control: no-store',
        'X-Content-Type-Options: nosniff',
        'X-Frame-Options',
      ]) {
        assert.ok(heard.includes(header), `${request} ${header}`);
      }
    }
  });

  it('if a handler throws, Foyer returns a page with status 500 that reveals nothing about the error', async () => {
    misbehave = () => {
      throw new Error('a private detail');
    };
    const answer = await fetch(`${url}/slack/install`);
    assert.equal(answer.status, 500);
    assert.ok(!(await answer.text()).includes('private detail'));
  });

  it('if a request that is not for an install fails, its error page does not mention an install, and links to the same path', async () => {
    misbehave = () => {
      throw new Error('a private detail');
    };
    const text = await (await fetch(`${url}/installs/of-a-bug?answer=1`)).text();
    assert.match(text, /Something went wrong on our side/);
    assert.doesNotMatch(text, /The install/);
    assert.match(text, /href="\/installs\/of-a-bug">Try again</);
  });

  it('if an OAuth callback fails, the error page and the log give the id of its install request', async () => {
    for (const error of [new DatabaseUnavailableError('gone'), new Error('a private detail')]) {
      misbehave = () => {
        throw error;
      };
      const known = await (await fetch(`${url}/slack/oauth_redirect?state=known`)).text();
      assert.match(known, /Reference: .*<code translate="no">the-request<\/code>/);
      assert.match(logged.at(-1) ?? '', /"requestId":"the-request"/);
      const unknown = await (await fetch(`${url}/slack/oauth_redirect?state=other`)).text();
      assert.ok(!unknown.includes('the-request'));
    }
  });

  it('Foyer answers a request with 504 within ten seconds if its handler never responds', async () => {
    misbehave = () => new Promise(() => {});
    const startedAt = performance.now();
    const callback = fetch(`${url}/slack/oauth_redirect?state=known`);
    const progress = fetch(`${url}/installs/of-a-bug?answer=1`);
    const answer = await fetch(`${url}/slack/install`);
    assert.match(await (await callback).text(), /took_too_long.*the-request/);
    assert.equal(answer.status, 504);
    assert.ok(performance.now() - startedAt < 10_000);
    assert.match(await answer.text(), /The install may still finish.*took_too_long/s);
    assert.doesNotMatch(await (await progress).text(), /The install|Look for/);
  });

  it('the server closes immediately even if a client has connected and sent no request', async () => {
    const silent = connect(listening.address.port, '127.0.0.1');
    await once(silent, 'connect');
    const startedAt = performance.now();
    await listening.close(5000);
    assert.ok(performance.now() - startedAt < 1000);
    silent.destroy();
  });
});
