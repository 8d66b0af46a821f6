import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import middie from '@fastify/middie';
import { App } from '@slack/bolt';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { createSandbox, type Sandbox } from 'slack-sandbox';
import { beginMaintenance } from '../../src/database/maintenance.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createFoyer, defineFoyer, type Foyer, readConfig } from '../../src/index.ts';
import { freePort } from '../../src/testing/free-port.ts';
import { startTestFoyer } from '../../src/testing/start-test-foyer.ts';
import { createVisitor, finishedRun, install } from '../../src/testing/visitor.ts';
import { fetchAs } from '../support/fetch-as.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';

// `express4` has no types here, so the test uses those of Express 5.
const express4 = createRequire(import.meta.url)('express4') as typeof express;

/** A host's server, which serves Foyer under a base path, and the sandbox that Foyer uses instead of Slack. */
interface Host {
  origin: string;
  foyer: Foyer;
  sandbox: Sandbox;
  /** The path of the SQLite database. */
  file: string;
}

const basePath = '/integrations/slack';
const operatorPassword = 'Correct-Horse 7 battery';

/** Starts the server that `mount` builds around a Foyer, on its own port. */
async function startHost(t: TestContext, mount: (foyer: Foyer) => Promise<RequestListener>): Promise<Host> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const sandbox = await createSandbox({
    manifest: JSON.parse(fixtureManifest),
    eventUrl: `${origin}${basePath}/slack/events`,
    redirectUrls: [`${origin}${basePath}/slack/oauth_redirect`],
  });
  const folder = mkdtempSync(join(tmpdir(), 'foyer-host-'));
  const foyer = await createFoyer(
    defineFoyer({
      manifest: JSON.parse(fixtureManifest),
      basePath,
      config: readConfig({
        SLACK_CLIENT_ID: sandbox.app.clientId,
        SLACK_CLIENT_SECRET: sandbox.app.clientSecret,
        SLACK_SIGNING_SECRET: sandbox.app.signingSecret,
        SLACK_AUTHORIZATION_URL: sandbox.authorizationUrl,
        SLACK_API_URL: sandbox.apiUrl,
        PUBLIC_URL: origin,
        DATABASE_URL: `file:${join(folder, 'foyer.db')}`,
        LOG_LEVEL: 'silent',
        OPERATOR_PASSWORD: operatorPassword,
      }),
    }),
  );
  const server: Server = createServer(await mount(foyer)).listen(port, '127.0.0.1');
  await once(server, 'listening');
  await foyer.start();
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await foyer.stop();
    await sandbox.close();
    rmSync(folder, { recursive: true });
  });
  assert.equal((server.address() as AddressInfo).port, port);
  return { origin, foyer, sandbox, file: join(folder, 'foyer.db') };
}

/** Installs the app, opens Home and uses everything else that must work in every kind of host. */
async function useEverything(
  { origin, foyer, sandbox }: Host,
  { own: hasOwn } = { own: true },
): Promise<void> {
  const url = origin + basePath;
  const visitor = createVisitor();
  const workspace = sandbox.workspace('Acme');
  const person = sandbox.person('Acme');
  const landing = await visitor.get(url);
  assert.equal(landing.status, 200);
  await landing.text();
  assert.equal((await visitor.get(`${url}/`)).status, 200);
  const answer = await install(visitor, url, sandbox, { userId: person.id, teamId: workspace.id });
  assert.equal(answer.status, 303);
  const progress = new URL(answer.headers.get('location') ?? '', url).href;
  assert.ok(progress.startsWith(`${url}/installs/`), progress);
  assert.equal((await visitor.get(progress)).status, 200);
  assert.equal((await finishedRun(visitor, progress)).status, 'succeeded');
  const [cookiePath] = [...visitor.cookies.keys()];
  assert.ok(cookiePath?.startsWith('foyer-state-'));
  await sandbox.openHome({ teamId: workspace.id, userId: person.id });
  await sandbox.settled();
  const found = await foyer.find({ teamId: workspace.id });
  assert.deepEqual([found?.status, found?.teamName], ['active', 'Acme']);
  const client = await foyer.slack({ teamId: workspace.id });
  assert.equal((await client.auth.test()).team_id, workspace.id);
  if (hasOwn) {
    const own = await visitor.get(`${origin}/own`);
    assert.deepEqual([own.status, await own.text()], [200, "the host's own"]);
  }
  assert.equal((await visitor.get(`${url}/nothing`)).status, 404);
  assert.equal((await visitor.get(`${origin}/integrations/slackery`)).status, 404);
}

describe('Foyer in the host app’s own server', () => {
  it('Foyer works as middleware of Express 5, before a body parser', async (t) => {
    const host = await startHost(t, async (foyer) => {
      const app = express();
      app.use(foyer.middleware);
      app.use(express.json(), express.urlencoded());
      app.get('/own', (_req, res) => void res.send("the host's own"));
      return app;
    });
    await useEverything(host);
  });

  it('Foyer works as middleware of Express 5, mounted at its base path', async (t) => {
    const host = await startHost(t, async (foyer) => {
      const app = express();
      app.use(basePath, foyer.middleware);
      app.get('/own', (_req, res) => void res.send("the host's own"));
      return app;
    });
    await useEverything(host);
  });

  it('Foyer works as middleware of Express 4, after a body parser that keeps the raw body', async (t) => {
    const host = await startHost(t, async (foyer) => {
      const app = express4();
      const verify = (req: object, _res: unknown, rawBody: Buffer) => void Object.assign(req, { rawBody });
      app.use(express4.json({ verify }), express4.urlencoded({ extended: true, verify }));
      app.use(foyer.middleware);
      app.get('/own', (_req, res) => void res.send("the host's own"));
      return app;
    });
    await useEverything(host);
  });

  it('Foyer answers an event with status 500 if a body parser has already read the body and has not kept the raw bytes', async (t) => {
    const host = await startHost(t, async (foyer) => {
      const app = express();
      app.use(express.json(), foyer.middleware);
      return app;
    });
    const answer = await fetch(`${host.origin}${basePath}/slack/events`, {
      method: 'POST',
      body: '{"type":"url_verification"}',
      headers: {
        'content-type': 'application/json',
        'x-slack-request-timestamp': String(Math.floor(Date.now() / 1000)),
        'x-slack-signature': `v0=${'0'.repeat(64)}`,
      },
    });
    assert.equal(answer.status, 500);
  });

  it('Foyer works as middleware of Fastify', async (t) => {
    const host = await startHost(t, async (foyer) => {
      const app = fastify();
      await app.register(middie);
      app.use(foyer.middleware);
      app.get('/own', async () => "the host's own");
      await app.ready();
      return (req, res) => app.routing(req, res);
    });
    await useEverything(host);
  });

  it('Foyer works as a listener of node:http', async (t) => {
    const host = await startHost(t, async (foyer) => async (req, res) => {
      if (await foyer.handle(req, res)) return;
      res.statusCode = req.url === '/own' ? 200 : 404;
      res.end("the host's own");
    });
    await useEverything(host);
  });

  it('under a wrong host name, the page’s button leads to Foyer’s own start page, not to the host’s', async (t) => {
    const host = await startHost(t, async (foyer) => async (req, res) => {
      if (!(await foyer.handle(req, res))) res.writeHead(404).end();
    });
    const answer = await fetchAs('evil.example', `${host.origin}${basePath}/operator`);
    assert.equal(answer.status, 421);
    assert.match(await answer.text(), new RegExp(`href="${host.origin}${basePath}/?"`));
  });

  it('if the host sets cookies before it calls Foyer, the browser gets them together with Foyer’s own cookies', async (t) => {
    const host = await startHost(t, async (foyer) => async (req, res) => {
      res.setHeader('Set-Cookie', ['visit=1; Path=/', 'theme=dark; Path=/']);
      if (!(await foyer.handle(req, res))) res.writeHead(404).end();
    });
    const url = host.origin + basePath;
    const visitor = createVisitor();
    const namesOf = (answer: Response): string[] =>
      answer.headers.getSetCookie().map((line) => line.replace(/[=].*/, '').replace(/-[\w-]{22}$/, ''));
    assert.deepEqual(namesOf(await visitor.get(url)), ['visit', 'theme']);
    assert.deepEqual(namesOf(await visitor.get(`${url}/slack/oauth_redirect?code=1`)), ['visit', 'theme']);
    const start = await visitor.get(`${url}/slack/install`);
    assert.deepEqual(namesOf(start), ['visit', 'theme', 'foyer-state']);
    const callback = await host.sandbox.consent({
      authorizeUrl: start.headers.get('location') ?? '',
      userId: host.sandbox.person('Acme').id,
      teamId: host.sandbox.workspace('Acme').id,
    });
    assert.deepEqual(namesOf(await visitor.get(callback)), ['visit', 'theme', 'foyer-installer']);
    const login = await visitor.post(`${url}/operator/login`, { password: operatorPassword, next: '' });
    assert.deepEqual(namesOf(login), ['visit', 'theme', 'foyer-operator', 'foyer-operator-browser']);
  });

  it('the operator pages are under the base path, and so is every local link and redirect on them', async (t) => {
    const host = await startHost(t, async (foyer) => async (req, res) => {
      if (!(await foyer.handle(req, res))) res.writeHead(404).end();
    });
    await useEverything({ ...host, foyer: host.foyer }, { own: false });
    const url = host.origin + basePath;
    const visitor = createVisitor();
    const first = await visitor.get(`${url}/operator`);
    assert.equal(first.headers.get('location'), `${basePath}/operator/login`);
    const logIn = await visitor.post(`${url}/operator/login`, {
      password: operatorPassword,
      next: '/operator',
    });
    assert.equal(logIn.headers.get('location'), `${basePath}/operator`);
    const database = await openDatabase({ kind: 'sqlite', file: host.file });
    const { clientId } = host.sandbox.app;
    await database.write((tx) => beginMaintenance(tx, { clientId, now: Date.now() }));
    await database.close();
    const seen = new Set<string>();
    const todo = [`${basePath}/operator`];
    for (let path = todo.pop(); path !== undefined && seen.size < 60; path = todo.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const page = await visitor.get(host.origin + path);
      assert.equal(page.status, 200, path);
      const text = await page.text();
      assert.match(text, /<code>npx slack-foyer maintenance off<\/code>/, path);
      assert.doesNotMatch(text, /npm run foyer/, path);
      for (const [, link = ''] of text.matchAll(/\s(?:href|action)="(\/[^"]*)"/g)) {
        assert.ok(link.startsWith(`${basePath}/`) || link === basePath, `${link} on ${path}`);
        if (
          link.startsWith(`${basePath}/operator`) &&
          !/log(?:in|out)|\/(?:retry|welcome|mark-gone|purge|end)/.test(link)
        ) {
          todo.push(link.replaceAll('&amp;', '&'));
        }
      }
    }
    assert.ok(seen.size >= 4, [...seen].join(' '));
  });

  it('Foyer works as a fetch handler of Hono', async (t) => {
    const host = await startHost(t, async (foyer) => {
      const app = new Hono();
      app.get('/own', (context) => context.text("the host's own"));
      app.all(`${basePath}/*`, (context) => foyer.fetch(context.req.raw));
      app.all(basePath, (context) => foyer.fetch(context.req.raw));
      return async (req, res) => {
        const chunks: Buffer[] = [];
        for await (const chunk of req) chunks.push(chunk);
        const headers = new Headers(
          Object.entries(req.headers).flatMap(([name, value]) =>
            value === undefined ? [] : [[name, String(value)] as [string, string]],
          ),
        );
        const answer = await app.fetch(
          new Request(`http://${req.headers.host}${req.url}`, {
            method: req.method,
            headers,
            ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
          }),
        );
        res.statusCode = answer.status;
        for (const [name, value] of answer.headers) res.appendHeader(name, value);
        res.end(Buffer.from(await answer.arrayBuffer()));
      };
    });
    await useEverything(host);
  });

  it('requests that come through fetch need no Host header and are counted, and their responses have no headers that only HTTP/1 allows', async (t) => {
    const token = 'b3e1f09ac4d27586';
    const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest) });
    const { url, foyer, close } = await startTestFoyer(definition, { environment: { METRICS_TOKEN: token } });
    t.after(close);
    const answer = await foyer.fetch(new Request(`${url}/slack/install?connect=none`));
    assert.equal(answer.status, 400, 'not 421');
    assert.match(await answer.text(), /link_invalid/);
    for (const name of ['connection', 'keep-alive', 'transfer-encoding'])
      assert.equal(answer.headers.get(name), null, name);
    const headers = { authorization: `Bearer ${token}` };
    const metrics = await foyer.fetch(new Request(`${url}/metrics`, { headers }));
    assert.match(await metrics.text(), /^foyer_http_requests_total\{[^}]*slack.install[^}]*4xx[^}]*\} 1$/m);
  });

  it('Foyer works with the host’s own Bolt app and its listeners', async (t) => {
    const heard: string[] = [];
    const host = await startHost(t, async (foyer) => {
      const app = new App({ receiver: foyer.receiver, authorize: foyer.authorize });
      foyer.attach(app);
      app.event('app_home_opened', async ({ event }) => void heard.push(event.user));
      return async (req, res) => {
        if (await foyer.handle(req, res)) return;
        res.statusCode = req.url === '/own' ? 200 : 404;
        res.end("the host's own");
      };
    });
    await useEverything(host);
    assert.deepEqual(heard, [host.sandbox.person('Acme').id]);
  });
});
