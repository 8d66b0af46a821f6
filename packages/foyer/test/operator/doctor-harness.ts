import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createSandbox } from 'slack-sandbox';
import { parseConfig } from '../../src/config/config.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { verifyKeyring } from '../../src/installations/verify-keyring.ts';
import type { Finding } from '../../src/operator/doctor/finding.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import { createProcessReporter, type ProcessReporter } from '../../src/operator/process-report.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { mailPassword } from '../support/mail-server.ts';
import type { EngineName } from '../support/stage-database.ts';
import { createOperatorHarness, type RunOptions, storeInstallation } from './operator-harness.ts';

/** The encryption key of every Foyer in these tests. */
export const key = { id: 'main', base64: randomBytes(32).toString('base64') };
/** The bot scopes that the installation in these tests was granted, besides `users:read.email`. */
export const botScopes = ['chat:write', 'im:write', 'im:history', 'users:read', 'team:read'];

const runningProcess = 'host-1 4711 0123abcd';

/**
 * Prepares a Foyer without problems: Slack accepts its credentials, its database holds one installation, its server
 * answers.
 */
export async function prepareDoctor(t: TestContext, engine: EngineName = 'SQLite') {
  const health = { status: 200, body: '{"status":"ok"}' };
  /**
   * What a test can change: the running Foyer's clock, the X-Forwarded-For header that proxies add to its requests, and
   * the HTTP status that the webhook answers.
   */
  const running = { now: Date.now(), forwardedFor: undefined as string | undefined, webhookStatus: 400 };
  let reporter: ProcessReporter | undefined;
  const server = createServer((request, response) => {
    if (request.url === '/hook') return response.writeHead(running.webhookStatus).end('invalid_payload');
    const { forwardedFor } = running;
    if (forwardedFor !== undefined) request.headers['x-forwarded-for'] = forwardedFor;
    const answer = request.url === '/readyz' ? reporter?.answer(request) : undefined;
    if (answer === undefined) return response.writeHead(health.status).end(health.body);
    if ('refusal' in answer) return response.writeHead(401).end(JSON.stringify({ status: answer.refusal }));
    return response.writeHead(health.status).end(JSON.stringify({ status: 'ok', report: answer.report }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sandbox = await createSandbox({
    manifest: JSON.parse(fixtureManifest),
    redirectUrls: [`${publicUrl}/slack/oauth_redirect`],
    eventUrl: `${publicUrl}/slack/events`,
  });
  const closeServer = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  t.after(async () => {
    await sandbox.close();
    await closeServer();
  });
  const harness = await createOperatorHarness(t, {}, engine);
  const keyring = createKeyring([key]);
  await verifyKeyring(harness.database, keyring, { process: runningProcess });
  const sealed = createSealer({ keyring, purpose: 'tokens' }).seal('{}', 'installation:ins_1:bot');
  const scopes = JSON.stringify([...botScopes, 'users:read.email']);
  await storeInstallation(harness.database, {
    id: 'ins_1',
    client_id: sandbox.app.clientId,
    sealed_bot: sealed,
    bot_scopes: scopes,
  });
  const environment: Record<string, string> = {
    SLACK_CLIENT_ID: sandbox.app.clientId,
    SLACK_CLIENT_SECRET: sandbox.app.clientSecret,
    SLACK_SIGNING_SECRET: sandbox.app.signingSecret,
    SLACK_API_URL: sandbox.apiUrl,
    PUBLIC_URL: publicUrl,
    DATABASE_URL: harness.variables.DATABASE_URL ?? '',
    TOKEN_ENCRYPTION_KEYS: `${key.id}:${key.base64}`,
    // With port 0, doctor looks for Foyer only behind PUBLIC_URL.
    PORT: '0',
    NOTIFY_SLACK_WEBHOOK_URL: `${publicUrl}/hook`,
  };
  /** Replaces the Foyer behind PUBLIC_URL with a new one that has these keys and this process name. */
  function startProcess({ keys = keyring, process = runningProcess } = {}): ProcessReporter {
    const config = parseConfig(environment, fixtureManifest);
    reporter = createProcessReporter({ config, keyring: keys, process, now: () => running.now });
    return reporter;
  }
  startProcess();
  /** Runs `doctor --json`, and checks that it prints no secret. */
  async function doctor(
    commandLine: readonly string[] = [],
    now: () => number = Date.now,
    more: RunOptions = {},
  ) {
    const end = await harness.run(['doctor', '--json', ...commandLine], {
      readEnvironment: () => environment,
      loadKeyring: loadExistingKeyring,
      now,
      ...more,
    });
    for (const secret of [sandbox.app.clientSecret, sandbox.app.signingSecret, key.base64, mailPassword]) {
      assert.equal((end.stdout + end.stderr).includes(secret), false, 'a secret was printed');
    }
    return { ...end, findings: JSON.parse(end.stdout) as Finding[] };
  }
  return { ...harness, sandbox, environment, health, running, startProcess, publicUrl, closeServer, doctor };
}

/** Listens on a free port of this machine until the test ends, and returns its address. */
export async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export type Prepared = Awaited<ReturnType<typeof prepareDoctor>>;

export const amiss = (findings: readonly Finding[]) => findings.filter(({ status }) => status !== 'ok');

/** One thing that is broken, and what doctor must say about it. */
export interface Breakage {
  what: string;
  engine?: EngineName;
  breakIt(prepared: Prepared, t: TestContext): unknown;
  check: string;
  status: Finding['status'];
  detail: RegExp;
  fix: RegExp;
  /** Other checks that fail for the same reason. */
  also?: string[];
  options?: (prepared: Prepared) => string[];
  now?: () => number;
}

/**
 * Tests that doctor reports each problem with its fix, and no other problem. Runs only four tests at the same time:
 * more would slow each other down until doctor's calls to Slack time out.
 */
export function plantFaults(title: string, breakages: readonly Breakage[]): void {
  describe(title, { concurrency: 4 }, () => {
    for (const { what, engine, breakIt, check, status, detail, fix, also = [], options, now } of breakages) {
      it(`doctor reports ${what}`, async (t) => {
        const prepared = await prepareDoctor(t, engine);
        await breakIt(prepared, t);
        const { findings, exitCode } = await prepared.doctor(options?.(prepared), now);
        const wrong = amiss(findings);
        const named = wrong.find((finding) => finding.check === check);
        assert.ok(named, `${check} is not among ${JSON.stringify(wrong)}`);
        assert.equal(named.status, status, named.detail);
        assert.match(named.detail, detail);
        assert.match(named.fix ?? '', fix);
        assert.deepEqual([...new Set(wrong.map((finding) => finding.check))].sort(), [check, ...also].sort());
        assert.equal(exitCode, wrong.some((finding) => finding.status === 'fault') ? 1 : 0);
      });
    }
  });
}
