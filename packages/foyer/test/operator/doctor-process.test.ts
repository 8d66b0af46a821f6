import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { createKeyring } from '../../src/installations/keyring.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { freePort } from '../../src/testing/free-port.ts';
import { type Breakage, key, listen, type Prepared, plantFaults, prepareDoctor } from './doctor-harness.ts';
import { storeInstallation, storeRequest } from './operator-harness.ts';

const hourMs = 3_600_000;
const otherKeys = () => createKeyring([{ id: 'main', base64: randomBytes(32).toString('base64') }]);

function refuse(prepared: Prepared, kind: 'signature_wrong' | 'signature_stale', times: number): void {
  const reporter = prepared.startProcess();
  for (let count = 0; count < times; count += 1) reporter.onRefused(kind);
}

function webhookAnswers(status: number): Pick<Breakage, 'breakIt'> {
  return {
    breakIt({ running }) {
      running.webhookStatus = status;
    },
  };
}

const breakages: Breakage[] = [
  {
    what: 'a wrong signing secret if the running Foyer has refused every signed request',
    breakIt: (prepared) => refuse(prepared, 'signature_wrong', 3),
    check: 'signatures',
    status: 'fault',
    detail:
      /Process 4711 on host-1 has refused all 3 signed requests since.*SLACK_SIGNING_SECRET is not this app’s/,
    fix: /Basic Information page.*restart Foyer/,
  },
  {
    what: 'a signing secret that was regenerated while Foyer was running',
    breakIt({ running, startProcess }) {
      running.now = Date.now() - hourMs;
      const reporter = startProcess();
      reporter.onSlackRequest({ kind: 'event', type: 'app_home_opened' });
      for (let count = 0; count < 10; count += 1) reporter.onRefused('signature_wrong');
      running.now = Date.now();
    },
    check: 'signatures',
    status: 'fault',
    detail: /verified its last request from Slack 60 min ago, and has refused 10 requests since/,
    fix: /Basic Information page/,
  },
  {
    what: 'a wrong clock if the running Foyer has refused requests as too old',
    breakIt: (prepared) => refuse(prepared, 'signature_stale', 3),
    check: 'signatures',
    status: 'fault',
    detail: /refused 3 requests since .*: they were too old or from the future/,
    fix: /NTP/,
  },
  {
    what: 'a missing TRUST_PROXY behind a proxy',
    breakIt({ running }) {
      running.forwardedFor = '203.0.113.9';
    },
    check: 'trust-proxy',
    status: 'fault',
    detail: /passes one proxy, and TRUST_PROXY is 0: all visitors count as one/,
    fix: /Set TRUST_PROXY=1/,
  },
  {
    what: 'a TRUST_PROXY that is one too low',
    breakIt({ running, environment, startProcess }) {
      running.forwardedFor = '203.0.113.9, 198.51.100.4';
      environment.TRUST_PROXY = '1';
      startProcess();
    },
    check: 'trust-proxy',
    status: 'fault',
    detail: /passes 2 proxies, and TRUST_PROXY is 1/,
    fix: /Set TRUST_PROXY=2/,
  },
  {
    what: 'a proxy that sends no X-Forwarded-For',
    breakIt({ environment, startProcess }) {
      environment.TRUST_PROXY = '1';
      startProcess();
    },
    check: 'trust-proxy',
    status: 'warning',
    detail: /has no X-Forwarded-For/,
    fix: /Configure the proxy to set X-Forwarded-For/,
  },
  {
    what: 'a TRUST_PROXY that is one too high',
    breakIt({ running, environment, startProcess }) {
      running.forwardedFor = '203.0.113.9';
      environment.TRUST_PROXY = '2';
      startProcess();
    },
    check: 'trust-proxy',
    status: 'warning',
    detail: /passes one proxy, and TRUST_PROXY is 2: visitors can fake the address/,
    fix: /set TRUST_PROXY=1/,
  },
  {
    what: 'a PUBLIC_URL that leads to a Foyer with other encryption keys',
    breakIt: ({ startProcess }) => void startProcess({ keys: otherKeys() }),
    check: 'process',
    status: 'fault',
    detail: /The Foyer that answers at http:\S+ does not use this environment’s encryption keys/,
    fix: /make PUBLIC_URL, DNS and the proxy lead to yours/,
  },
  {
    what: 'a PUBLIC_URL that leads to a Foyer with another database',
    breakIt: ({ startProcess }) => void startProcess({ process: 'host-2 99 ffff' }),
    check: 'process',
    status: 'fault',
    detail: /process 99 on host-2\) does not use the database that this environment names/,
    fix: /same DATABASE_URL/,
  },
  {
    what: 'a running Foyer that was not restarted after a setting changed',
    breakIt: ({ environment }) => Object.assign(environment, { SLACK_SIGNING_SECRET: 'e'.repeat(32) }),
    check: 'process',
    status: 'fault',
    detail: /and this environment differ in SLACK_SIGNING_SECRET/,
    fix: /restart Foyer/,
  },
  {
    what: 'a running Foyer that cannot use its database',
    breakIt({ health }) {
      health.status = 503;
      health.body = '{"status":"database_unavailable"}';
    },
    check: 'process',
    status: 'fault',
    detail: /process 4711 on host-1\) cannot use its database/,
    fix: /what Foyer’s log reports/,
    also: ['public-url'],
  },
  {
    what: 'a database without installations if Slack sends events about workspaces',
    async breakIt({ database, startProcess }) {
      startProcess().onSlackRequest({ kind: 'event', type: 'app_home_opened' });
      await database.queries.deleteFrom('installations').execute();
      // Another app shares the database.
      await storeInstallation(database, { id: 'ins_other', client_id: 'other', team_id: 'T9' });
    },
    check: 'database-empty',
    status: 'fault',
    detail: /Slack has sent 1 event about workspaces, and the database holds no installation of this app/,
    fix: /put back the previous database or its newest backup/,
  },
  {
    what: 'another Foyer on the same database whose encryption key is missing here',
    breakIt: ({ database }) =>
      database.queries
        .insertInto('key_holders')
        .values({ process: 'host-9 12 abcd', key_id: 'other', seen_at: Date.now() })
        .execute(),
    check: 'key',
    status: 'fault',
    detail: /process 12 on host-9\) encrypts with the key other, which is missing here/,
    fix: /Put the right key back/,
  },
  {
    what: 'a token that was copied from another row',
    async breakIt({ database, sandbox }) {
      const sealer = createSealer({ keyring: createKeyring([key]), purpose: 'tokens' });
      await storeInstallation(database, {
        id: 'ins_2',
        team_id: 'T2',
        client_id: sandbox.app.clientId,
        bot_scopes: JSON.stringify(['chat:write', 'im:write', 'users:read', 'team:read', 'users:read.email']),
        sealed_bot: sealer.seal('{}', 'installation:ins_1:bot'),
      });
    },
    check: 'key',
    status: 'fault',
    detail: /1 installation \(ins_2\) holds a token that the right key does not decrypt/,
    fix: /install the app again/,
  },
  {
    what: 'a removed webhook even before a notice fails',
    ...webhookAnswers(404),
    check: 'webhook',
    status: 'fault',
    detail: /The webhook no longer works \(HTTP 404\): it was removed/,
    fix: /Add a new webhook.*NOTIFY_SLACK_WEBHOOK_URL/,
  },
  {
    what: 'a webhook that is no longer allowed to post',
    ...webhookAnswers(403),
    check: 'webhook',
    status: 'fault',
    detail: /no longer works \(HTTP 403\)/,
    fix: /Add a new webhook/,
  },
  {
    what: 'a webhook whose channel is archived',
    ...webhookAnswers(410),
    check: 'webhook',
    status: 'fault',
    detail: /its channel is archived/,
    fix: /Add a new webhook/,
  },
  {
    what: 'a webhook whose server answers with status 500',
    ...webhookAnswers(500),
    check: 'webhook',
    status: 'warning',
    detail: /answers with HTTP 500/,
    fix: /again in a few minutes/,
  },
  {
    what: 'a webhook whose server refuses the connection',
    async breakIt({ environment }) {
      environment.NOTIFY_SLACK_WEBHOOK_URL = `http://127.0.0.1:${await freePort()}/hook`;
    },
    check: 'webhook',
    status: 'fault',
    detail: /The webhook’s server refuses the connection/,
    fix: /firewall, proxy, DNS/,
  },
  {
    what: 'a mail server that cannot be reached',
    breakIt: ({ environment }) =>
      Object.assign(environment, {
        NOTIFY_SMTP_URL: 'smtp://127.0.0.1:9',
        NOTIFY_EMAIL_FROM: 'foyer@ops.example',
        NOTIFY_EMAIL_TO: 'ada@ops.example',
      }),
    check: 'mail-server',
    status: 'fault',
    detail: /The mail server could not be reached/,
    fix: /Check host, port/,
  },
  {
    what: 'installs that Slack refused because public distribution is off',
    breakIt: ({ database, sandbox }) =>
      storeRequest(database, {
        id: 'req_1',
        client_id: sandbox.app.clientId,
        error_code: 'invalid_team_for_non_distributed_app',
        started_at: Date.now() - hourMs,
      }),
    check: 'installs',
    status: 'warning',
    detail: /refused 1 install since yesterday, because the app’s public distribution is off/,
    fix: /Manage Distribution/,
  },
  {
    what: 'maintenance that has been on for an hour',
    breakIt: ({ database, sandbox }) =>
      database.queries
        .insertInto('maintenance')
        .values({ client_id: sandbox.app.clientId, began_at: Date.now() - hourMs })
        .execute(),
    check: 'maintenance',
    status: 'warning',
    detail: /Maintenance has been on since .* UTC: every install is answered with 503/,
    fix: /maintenance off/,
  },
  {
    what: 'that the last three installs have all failed',
    async breakIt({ database, sandbox }) {
      for (const id of ['req_1', 'req_2', 'req_3'])
        await storeRequest(database, {
          id,
          client_id: sandbox.app.clientId,
          error_code: 'bad_client_secret',
          started_at: Date.now() - hourMs,
        });
    },
    check: 'installs',
    status: 'warning',
    detail: /The last 3 installs since yesterday have all failed, most often with bad_client_secret/,
    fix: /requests --outcome failed/,
  },
];

plantFaults('doctor asks the running Foyer and its services, and names each problem with its fix', breakages);

test('doctor tests the webhook with a single request that cannot appear as a message, since its body is not JSON', async (t) => {
  const { environment, doctor } = await prepareDoctor(t);
  const bodies: string[] = [];
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (part) => {
      body += part;
    });
    req.on('end', () => {
      bodies.push(`${req.method} ${body}`);
      res.writeHead(400).end('invalid_payload');
    });
  });
  environment.NOTIFY_SLACK_WEBHOOK_URL = `${await listen(t, server)}/services/T0/B0/very-secret`;
  await doctor();
  const [sent, ...more] = bodies;
  assert.equal(more.length, 0);
  assert.throws(() => JSON.parse(sent?.replace('POST ', '') ?? '{}'), SyntaxError);
});

test('doctor reports no problem if Foyer has verified a request after many wrong signatures', async (t) => {
  const { startProcess, doctor } = await prepareDoctor(t);
  const reporter = startProcess();
  for (let count = 0; count < 50; count += 1) reporter.onRefused('signature_wrong');
  reporter.onSlackRequest({ kind: 'event', type: 'app_home_opened' });
  const { findings } = await doctor();
  const found = findings.find(({ check }) => check === 'signatures');
  assert.equal(found?.status, 'ok', found?.detail);
  assert.match(found?.detail ?? '', /1 request from Slack verified since Foyer started/);
});

test('doctor --offline calls neither the running Foyer nor the webhook', async (t) => {
  const { doctor } = await prepareDoctor(t);
  const { findings } = await doctor(['--offline']);
  const asked = findings.filter(({ check }) => /process|signatures|trust-proxy|webhook/.test(check));
  assert.deepEqual(asked, []);
});
