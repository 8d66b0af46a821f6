import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createVisitor, eventually, type Visitor } from 'slack-foyer/testing';
import { createSandbox, type Sandbox } from 'slack-sandbox';

/**
 * Each test starts an example and uses it as a user does. Every test installs the app. Most tests also send a message
 * or open the example's own page.
 */

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, 'manifest.json'), 'utf8'));
let nextPort = 10_100 + (process.pid % 400);

interface Example {
  origin: string;
  sandbox: Sandbox;
  environment: Record<string, string>;
}

async function prepare(t: TestContext, basePath: string): Promise<Example> {
  const origin = `http://127.0.0.1:${nextPort++}`;
  const sandbox = await createSandbox({
    manifest,
    eventUrl: `${origin}${basePath}/slack/events`,
    redirectUrls: [`${origin}${basePath}/slack/oauth_redirect`],
  });
  const folder = mkdtempSync(join(tmpdir(), 'foyer-example-'));
  t.after(async () => {
    await sandbox.close();
    rmSync(folder, { recursive: true });
  });
  const environment = {
    SLACK_CLIENT_ID: sandbox.app.clientId,
    SLACK_CLIENT_SECRET: sandbox.app.clientSecret,
    SLACK_SIGNING_SECRET: sandbox.app.signingSecret,
    SLACK_AUTHORIZATION_URL: sandbox.authorizationUrl,
    SLACK_API_URL: sandbox.apiUrl,
    PUBLIC_URL: origin,
    PORT: new URL(origin).port,
    DATABASE_URL: `file:${join(folder, 'foyer.db')}`,
    LOG_LEVEL: 'warn',
    CONNECT_SECRET: 'a secret that the host and Foyer share',
    STATE_SECRET: 'a secret of the example',
    CRON_SECRET: 'another secret of the example',
  };
  return { origin, sandbox, environment };
}

/**
 * Installs as the owner of Acme and waits for the welcome. With `text`, also says hello and waits until the app answers
 * `text`.
 */
async function installAndWrite({ origin, sandbox }: Example, basePath: string, text?: string) {
  const visitor = createVisitor();
  const workspace = sandbox.workspace('Acme');
  const person = sandbox.person('Acme');
  const whom = { teamId: workspace.id, userId: person.id };
  const start = await visitor.get(`${origin}${basePath}/slack/install`);
  const page = start.status === 302 ? undefined : await start.text();
  const authorizeUrl =
    start.headers.get('location') ?? /href="([^"]+\/oauth\/v2\/authorize[^"]+)"/.exec(page ?? '')?.[1];
  const callback = await sandbox.consent({
    authorizeUrl: (authorizeUrl ?? '').replaceAll('&amp;', '&'),
    ...whom,
  });
  const answer = await visitor.get(callback);
  assert.ok(answer.status === 303 || answer.status === 200, `the callback answered ${answer.status}`);
  await eventually(async () => sandbox.messages(whom).length > 0);
  if (text === undefined) return;
  await sandbox.sendMessage({ ...whom, text: 'hello' });
  await eventually(async () => sandbox.messages(whom).some((message) => message.text === text));
}

async function withProcess(
  file: string,
  { origin, environment }: Example,
  work: () => Promise<void>,
): Promise<void> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=source', join(import.meta.dirname, file)],
    {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  try {
    await eventually(async () => {
      assert.equal(child.exitCode, null, `${file} ended`);
      return fetch(origin).then(
        () => true,
        () => false,
      );
    });
    await work();
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

describe('examples', () => {
  it('the Express example serves an install below its base path, calls its listener for an event, and accepts a connect result only in the session that requested it', async (t) => {
    const example = await prepare(t, '/integrations/slack');
    await withProcess('express/server.ts', example, async () => {
      assert.match(await (await fetch(example.origin)).text(), /Connect Slack/);
      await installAndWrite(example, '/integrations/slack', 'Hello from Express!');
      const visitor = createVisitor();
      const toFoyer = await visitor.get(`${example.origin}/settings`);
      // `foyer.connect` bound the link to this browser, so Foyer does not ask for a confirmation of the account.
      const toSlack = await visitor.get(toFoyer.headers.get('location') ?? '');
      const callback = await example.sandbox.consent({
        authorizeUrl: toSlack.headers.get('location') ?? '',
        userId: example.sandbox.person('Globex').id,
        teamId: example.sandbox.workspace('Globex').id,
      });
      const back = (await visitor.get(callback)).headers.get('location') ?? '';
      assert.equal((await createVisitor().get(back)).status, 400);
      assert.equal(await (await visitor.get(back)).text(), 'Connected to Globex');
    });
  });

  it('a user can install the Bolt example, and its own listeners still run', async (t) => {
    const example = await prepare(t, '');
    await withProcess('bolt/app.ts', example, () => installAndWrite(example, '', 'Hello from Bolt!'));
  });

  it('a user can install the Fastify example, and its own routes still work', async (t) => {
    const example = await prepare(t, '/integrations/slack');
    await withProcess('fastify/server.ts', example, async () => {
      assert.equal(await (await fetch(example.origin)).text(), 'Fastify');
      await installAndWrite(example, '/integrations/slack');
    });
  });

  it('the store-only example installs through stock Bolt’s OAuth flow, with Foyer as the installation store', async (t) => {
    const example = await prepare(t, '');
    await withProcess('store-only/app.ts', example, () =>
      installAndWrite(example, '', 'Hello from stock Bolt!'),
    );
  });

  it('the Hono example completes an install with web-standard requests', async (t) => {
    const example = await prepare(t, '/integrations/slack');
    Object.assign(process.env, example.environment);
    const { app, foyer } = await import('./hono/app.ts');
    try {
      assert.equal(await (await app.request('/')).text(), 'Hono');
      const landing = await app.request('/integrations/slack');
      assert.equal(landing.status, 200);
      const start = await app.request('/integrations/slack/slack/install');
      assert.equal(start.status, 302);
      const workspace = example.sandbox.workspace('Acme');
      const callback = await example.sandbox.consent({
        authorizeUrl: start.headers.get('location') ?? '',
        userId: example.sandbox.person('Acme').id,
        teamId: workspace.id,
      });
      const cookie = start.headers.getSetCookie().map((line) => line.split(';', 1)[0]);
      const done = await app.request(callback, { headers: { cookie: cookie.join('; ') } });
      assert.equal(done.status, 303);
      assert.deepEqual(await foyer.drain({ deadlineMs: 10_000 }), { done: true });
      assert.equal((await foyer.find({ teamId: workspace.id }))?.run?.status, 'succeeded');
    } finally {
      await foyer.stop();
    }
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  it('the Python example signs a connect link, and accepts the result only in the session that requested it', {
    skip: !python && 'there is no python3',
  }, async (t) => {
    const example = await prepare(t, '');
    const host = `http://127.0.0.1:${nextPort++}`;
    const connect = { CONNECT_SECRET: 'a secret that Python and Foyer share', CONNECT_RETURN_ORIGINS: host };
    Object.assign(example.environment, connect);
    const file = join(import.meta.dirname, 'python-host/host.py');
    const env = { PATH: process.env.PATH, ...connect, FOYER_URL: example.origin, HOST_URL: host };
    const child = spawn('python3', [file], {
      env: { ...env, HOST_PORT: new URL(host).port },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    t.after(async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    });
    await withProcess('python-host/foyer.ts', example, async () => {
      await eventually(async () =>
        fetch(host).then(
          () => true,
          () => false,
        ),
      );
      const workspace = example.sandbox.workspace('Acme');
      const owner = { userId: example.sandbox.person('Acme').id, teamId: workspace.id };
      const loggedIn = async (name: string) => {
        const visitor = createVisitor();
        await visitor.get(`${host}/login?as=${name}`);
        return visitor;
      };
      /**
       * Follows the Connect Slack link, confirms the account, and presses Allow. Returns the URL to which Foyer
       * redirects.
       */
      const connectSlack = async (visitor: Visitor): Promise<string> => {
        const settings = await (await visitor.get(host)).text();
        const [, link = ''] = /href="([^"]+)"/.exec(settings) ?? [];
        const question = await (await visitor.get(link.replaceAll('&amp;', '&'))).text();
        assert.match(question, /(ada|eve) Ltd/);
        const [, ticket = ''] = /name="ticket" value="([^"]+)"/.exec(question) ?? [];
        const pressed = await visitor.post(`${example.origin}/slack/install`, {
          ticket,
          decision: 'continue',
        });
        const authorizeUrl = pressed.headers.get('location') ?? '';
        const callback = await example.sandbox.consent({ authorizeUrl, ...owner });
        return (await visitor.get(callback)).headers.get('location') ?? '';
      };
      const [ada, eve] = [await loggedIn('ada'), await loggedIn('eve')];
      const back = await connectSlack(ada);
      // Someone else opens a genuine result that does not belong to their session.
      assert.equal((await eve.get(back)).status, 400);
      assert.equal((await ada.get(back.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')))).status, 400);
      const refused = await connectSlack(eve);
      assert.match(await (await eve.get(refused)).text(), /Not connected: already_connected/);
      assert.equal((await ada.get(back)).status, 303);
      assert.match(await (await ada.get(host)).text(), /Workspace: Acme/);
      assert.match(await (await eve.get(host)).text(), /Workspace: none/);
    });
  });

  it('the Next.js example installs through its route handlers, and finishes due runs in its cron route', async (t) => {
    const example = await prepare(t, '/slack');
    Object.assign(process.env, example.environment);
    const route = await import('./next/app/slack/[[...path]]/route.ts');
    const work = await import('./next/app/api/slack-work/route.ts');
    const { foyer } = await import('./next/foyer.ts');
    try {
      const start = await route.GET(new Request(`${example.origin}/slack/slack/install`));
      assert.equal(start.status, 302);
      const workspace = example.sandbox.workspace('Acme');
      const callback = await example.sandbox.consent({
        authorizeUrl: start.headers.get('location') ?? '',
        userId: example.sandbox.person('Acme').id,
        teamId: workspace.id,
      });
      const cookie = start.headers.getSetCookie().map((line) => line.split(';', 1)[0]);
      const done = await route.GET(new Request(callback, { headers: { cookie: cookie.join('; ') } }));
      assert.equal(done.status, 303);
      const cron = (authorization: string) =>
        work.GET(new Request(`${example.origin}/api/slack-work`, { headers: { authorization } }));
      assert.equal((await cron('Bearer wrong')).status, 401);
      const worked = await cron(`Bearer ${example.environment.CRON_SECRET}`);
      assert.deepEqual(await worked.json(), { done: true });
      assert.equal((await foyer.find({ teamId: workspace.id }))?.run?.status, 'succeeded');
    } finally {
      await foyer.stop();
    }
  });
});
