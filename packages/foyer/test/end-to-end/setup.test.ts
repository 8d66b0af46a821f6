import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSandbox } from 'slack-sandbox';
import type { Finding } from '../../src/operator/doctor/finding.ts';
import { freePort } from '../../src/testing/free-port.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';

const root = join(import.meta.dirname, '../../../..');

/** Runs a program in the clone with only PATH, HOME and the given environment, and with an empty stdin. */
function runFoyer(
  clone: string,
  program: string,
  commandLine: readonly string[],
  environment: Record<string, string>,
) {
  return new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
    const options = {
      cwd: clone,
      env: { PATH: process.env.PATH ?? '', HOME: clone, ...environment },
      timeout: 30_000,
    };
    const child = execFile(program, commandLine, options, (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

/** Runs a Foyer command as the README writes it. */
const npmRunFoyer = (clone: string, commandLine: readonly string[], environment: Record<string, string>) =>
  runFoyer(clone, 'npm', ['run', '-s', 'foyer', '--', ...commandLine], environment);

async function stopped(app: ChildProcess): Promise<void> {
  if (app.exitCode !== null || !app.kill('SIGTERM')) return;
  await once(app, 'exit');
}

/** Receives the operators' notifications. */
async function startWebhook(t: TestContext) {
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    // To find out whether the webhook exists, `doctor` posts a body that Slack refuses.
    if (!body.startsWith('{')) return response.writeHead(400).end('invalid_payload');
    received.push(String(JSON.parse(body).text));
    return response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/x` };
}

test('setup, start and doctor are enough to get from a clone to an installed workspace', async (t) => {
  const clone = mkdtempSync(join(tmpdir(), 'foyer-clone-'));
  t.after(() => rmSync(clone, { recursive: true, force: true }));
  for (const name of ['src', 'packages', 'node_modules', 'manifest.json'])
    symlinkSync(join(root, name), join(clone, name));
  copyFileSync(join(root, 'package.json'), join(clone, 'package.json'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const sandbox = await createSandbox({
    manifest: JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8')),
    redirectUrls: [`${url}/slack/oauth_redirect`],
    eventUrl: `${url}/slack/events`,
  });
  t.after(() => sandbox.close());
  const webhook = await startWebhook(t);
  // The operator has already edited .env: it contains settings that `setup` does not ask for, such as the sandbox's
  // addresses.
  writeFileSync(
    join(clone, '.env'),
    `# the sandbox\nSLACK_API_URL=${sandbox.apiUrl}\nSLACK_AUTHORIZATION_URL=${sandbox.authorizationUrl}\nPORT=${port}\nHOST=127.0.0.1\nLOG_LEVEL=warn\nNOTIFY_SLACK_WEBHOOK_URL=${webhook.url}\n`,
  );

  const flags = ['--public-url', url, '--client-id', sandbox.app.clientId];
  const alone = await runFoyer(
    clone,
    process.execPath,
    ['--conditions=source', 'src/cli.ts', 'setup', ...flags],
    {},
  );
  assert.equal(alone.exitCode, 2, 'without secrets, and no one to ask');
  const { clientSecret, signingSecret } = sandbox.app;
  const secrets = { SLACK_CLIENT_SECRET: clientSecret, SLACK_SIGNING_SECRET: signingSecret };
  const setup = await npmRunFoyer(clone, ['setup', ...flags], secrets);
  assert.equal(setup.exitCode, 0, setup.stderr);
  assert.match(setup.stdout, /✓ credentials +Slack accepts the client id and secret/);
  assert.match(setup.stdout, /! public-url .*\n.*Start Foyer \(npm start\)/);
  for (const secret of [clientSecret, signingSecret]) assert.equal(setup.stdout.includes(secret), false);

  const app = spawn(process.execPath, ['--conditions=source', 'src/main.ts'], {
    cwd: clone,
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    const answers = () =>
      fetch(`${url}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
    await eventually(async () => app.exitCode !== null || (await answers()));
    assert.equal(app.exitCode, null);
    const visitor = createVisitor();
    const workspace = sandbox.workspace('Acme');
    const person = sandbox.person('Acme');
    const callback = await install(visitor, url, sandbox, { userId: person.id, teamId: workspace.id });
    const run = await finishedRun(visitor, new URL(callback.headers.get('location') ?? '', url).href);
    assert.equal(run.status, 'succeeded');
    assert.match(webhook.received[0] ?? '', /installed Foyer in \*Acme\*/);
    await sandbox.uninstall({ teamId: workspace.id });

    const doctor = await npmRunFoyer(clone, ['doctor', '--json'], {});
    const findings = JSON.parse(doctor.stdout) as Finding[];
    const amiss = findings.filter(({ status }) => status !== 'ok').map(({ check }) => check);
    assert.deepEqual([doctor.exitCode, amiss], [0, []], doctor.stdout);
    await eventually(async () => webhook.received.length === 2);
    assert.match(webhook.received[1] ?? '', /\*Acme\* uninstalled Foyer/);
  } finally {
    await stopped(app);
  }
});
