import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSandbox } from 'slack-sandbox';
import { parseConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/config/log.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { runDoctor } from '../../src/operator/doctor/run-doctor.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import { reportQuestion } from '../../src/operator/process-report.ts';
import { startFoyer } from '../../src/serve.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { freePort } from '../../src/testing/free-port.ts';
import { createVisitor, finishedRun, install } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { startMailServer } from '../support/mail-server.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import { environmentFor } from '../support/start-foyer.ts';
import { amiss, listen } from './doctor-harness.ts';

interface System {
  what: string;
  onPostgres?: boolean;
  basePath?: string;
  proxies?: string[];
  sendsMail?: boolean;
  environment?: Record<string, string>;
}

const keys = `main:${randomBytes(32).toString('base64')}`;
const systems: System[] = [
  { what: 'in development with SQLite and a key file' },
  {
    what: 'in production with SQLite',
    environment: {
      NODE_ENV: 'production',
      TOKEN_ENCRYPTION_KEYS: keys,
      OPERATOR_PASSWORD: 'tumble-vexing-orchard-94',
    },
  },
  { what: 'with Postgres', onPostgres: true, environment: { TOKEN_ENCRYPTION_KEYS: keys } },
  {
    what: 'behind two proxies',
    proxies: ['203.0.113.9', '198.51.100.4'],
    environment: { TRUST_PROXY: '2' },
  },
  {
    what: 'below a base path, with connect links and notices by webhook and mail',
    basePath: '/integrations/slack',
    sendsMail: true,
    environment: { CONNECT_SECRET: randomBytes(32).toString('base64') },
  },
];

/** Starts a Foyer and a Slack for it, and installs the app in one workspace, so that Slack has sent requests. */
async function start(t: TestContext, system: System) {
  const { basePath = '', proxies = [] } = system;
  const folder = mkdtempSync(join(tmpdir(), 'foyer-healthy-'));
  const port = await freePort();
  const direct = `http://127.0.0.1:${port}`;
  const origin = proxies.length > 0 ? await listen(t, proxyTo(direct, proxies.join(', '))) : direct;
  const baseUrl = origin + basePath;
  const sandbox = await createSandbox({
    manifest: JSON.parse(fixtureManifest),
    eventUrl: `${baseUrl}/slack/events`,
    redirectUrls: [`${baseUrl}/slack/oauth_redirect`],
  });
  const webhook = await listen(t, livingWebhook());
  const postgres = system.onPostgres ? await createPostgresDatabase() : undefined;
  const mail = system.sendsMail ? await startMailServer(t) : undefined;
  const environment: Record<string, string> = {
    ...environmentFor(sandbox, port, join(folder, 'foyer.db')),
    PUBLIC_URL: origin,
    NOTIFY_SLACK_WEBHOOK_URL: `${webhook}/services/T0/B0/very-secret`,
    ...(postgres && { DATABASE_URL: postgres.url }),
    ...(mail && {
      NOTIFY_SMTP_URL: mail.url,
      NOTIFY_EMAIL_FROM: 'foyer@ops.example',
      NOTIFY_EMAIL_TO: 'ada@ops.example',
    }),
    ...system.environment,
  };
  const config = parseConfig(environment, fixtureManifest, basePath);
  const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });
  const foyer = await startFoyer(config, log, { definition: { basePath } });
  t.after(async () => {
    await foyer.stop();
    await sandbox.close();
    await postgres?.drop();
    rmSync(folder, { recursive: true });
  });
  const visitor = createVisitor(proxies[0]);
  const person = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
  const done = await install(visitor, baseUrl, sandbox, person);
  await finishedRun(visitor, origin + done.headers.get('location'));
  await sandbox.openHome(person);
  const doctor = () =>
    runDoctor({
      definition: { options: [], install: [], uninstall: [], jobs: [] },
      now: Date.now,
      basePath,
      migrations: {},
      folder,
      readEnvironment: () => environment,
      readManifest: () => fixtureManifest,
      loadKeyring: loadExistingKeyring,
      slackClients: async (given) => createSlackClientFactory({ config: given, log }),
    });
  return { doctor, baseUrl };
}

/** Passes each request on to `target` with this X-Forwarded-For, as a chain of proxies would. */
function proxyTo(target: string, forwardedFor: string) {
  return createServer((req, res) => {
    const headers = { ...req.headers, 'x-forwarded-for': forwardedFor };
    const onward = request(target + req.url, { method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    req.pipe(onward);
  });
}

/** A webhook like Slack's: it accepts messages, and refuses any other body. */
function livingWebhook() {
  return createServer((req, res) => {
    let body = '';
    req.on('data', (part) => {
      body += part;
    });
    req.on('end', () => {
      const isMessage = body.startsWith('{');
      res.writeHead(isMessage ? 200 : 400).end(isMessage ? 'ok' : 'invalid_payload');
    });
  });
}

for (const system of systems) {
  test(`doctor finds nothing wrong with a healthy Foyer ${system.what}`, async (t) => {
    const { doctor } = await start(t, system);
    const findings = await doctor();
    assert.deepEqual(amiss(findings), []);
    const checks = findings.map(({ check }) => check);
    for (const check of ['process', 'signatures', 'trust-proxy', 'webhook', 'installs'])
      assert.ok(checks.includes(check), check);
    const verified = findings.find(({ check }) => check === 'signatures')?.detail;
    assert.match(verified ?? '', /requests? from Slack verified since/);
  });
}

test('doctor finds a wrong signing secret in a running Foyer, even if a stranger sends wrong signatures too', async (t) => {
  const { doctor, baseUrl } = await start(t, {
    what: '',
    environment: { SLACK_SIGNING_SECRET: 'b'.repeat(32) },
  });
  const headers = {
    'x-slack-signature': `v0=${'0'.repeat(64)}`,
    'x-slack-request-timestamp': String(Math.floor(Date.now() / 1000)),
  };
  await fetch(`${baseUrl}/slack/events`, { method: 'POST', headers, body: '{}' });
  const found = (await doctor()).find(({ check }) => check === 'signatures');
  assert.equal(found?.status, 'fault', found?.detail);
  assert.match(
    found?.detail ?? '',
    /has refused .* signed requests? .*SLACK_SIGNING_SECRET is not this app’s/,
  );
});

test('a running Foyer reports about itself only to a caller that has its keys', async (t) => {
  const { baseUrl } = await start(t, { what: '', environment: { TOKEN_ENCRYPTION_KEYS: keys } });
  const [id = '', base64 = ''] = keys.split(':');
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${baseUrl}/readyz`, { headers });
    return { status: response.status, body: await response.text() };
  };
  const strangers = reportQuestion(createKeyring([{ id, base64: randomBytes(32).toString('base64') }]), 0);
  const own = createKeyring([{ id, base64 }]);
  assert.deepEqual(await ask({}), { status: 200, body: '{"status":"ok"}' });
  assert.deepEqual(await ask({ authorization: 'Bearer x' }), { status: 200, body: '{"status":"ok"}' });
  assert.deepEqual(await ask(strangers), { status: 401, body: '{"status":"other_keys"}' });
  const old = reportQuestion(own, Date.now() - 3 * 60_000);
  assert.deepEqual(await ask(old), { status: 401, body: '{"status":"other_clock"}' });
  const { status, body } = await ask(reportQuestion(own, Date.now()));
  assert.equal(status, 200);
  assert.match(body, new RegExp(`^{"status":"ok","report":"v1\\.${id}\\.[A-Za-z0-9_-]+"}$`), 'it is sealed');
});
