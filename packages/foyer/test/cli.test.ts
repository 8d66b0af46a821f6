import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../src/config/log.ts';
import { openSqlite } from '../src/database/sqlite/open-sqlite.ts';
import { createInstallationStore } from '../src/installations/create-installation-store.ts';
import { createKeyring } from '../src/installations/keyring.ts';
import { compileCache } from './support/compile-cache.ts';
import { createPostgresDatabase } from './support/shared-postgres.ts';

const root = join(import.meta.dirname, '../../..');
const key = { id: 'main', base64: Buffer.alloc(32, 7).toString('base64') };
const secrets = {
  botToken: 'xoxb-1111-recognisable-bot',
  userToken: 'xoxp-2222-recognisable-user',
  refreshToken: 'xoxe-1-3333-recognisable-refresh',
  webhookUrl: 'https://hooks.slack.com/services/T1/B1/recognisable-webhook',
  clientSecret: 'recognisable-client-secret',
  signingSecret: 'recognisable-signing-secret',
  key: key.base64,
};

/** Prepares a database with one real installation of T1. The returned `run` runs a command as an operator would. */
async function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'foyer.db');
  const environment: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET: secrets.clientSecret,
    SLACK_SIGNING_SECRET: secrets.signingSecret,
    DATABASE_URL: `file:${file}`,
    TOKEN_ENCRYPTION_KEYS: `${key.id}:${key.base64}`,
    NODE_ENV: 'test',
    LOG_LEVEL: 'debug',
  };
  const run = (commandLine: readonly string[], changes: Record<string, string> = {}, program = foyer) =>
    program(commandLine, { ...environment, ...changes });
  return { folder, file, run, runId: await storeInstall(file) };
}

async function storeInstall(file: string): Promise<string> {
  const database = await openSqlite(file);
  const now = () => Date.UTC(2026, 10, 22);
  const keyring = createKeyring([key]);
  const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });
  const store = createInstallationStore({
    database,
    keyring,
    clientId: '1.2',
    stepNames: ['register-team', 'send-welcome'],
    now,
    log,
  });
  const { runId } = await store.recordInstall({
    team: { id: 'T1', name: 'Acme' },
    enterprise: undefined,
    user: { id: 'U1', token: secrets.userToken, scopes: ['users:read'] },
    bot: {
      id: 'B1',
      userId: 'UBOT',
      token: secrets.botToken,
      refreshToken: secrets.refreshToken,
      scopes: ['chat:write'],
    },
    incomingWebhook: { url: secrets.webhookUrl, channel: '#general', channelId: 'C1' },
    tokenType: 'bot',
    isEnterpriseInstall: false,
    appId: 'A1',
    authVersion: 'v2',
  });
  await database.queries
    .updateTable('steps')
    .set({
      status: 'failed',
      attempts: 1,
      error_code: 'missing_scope',
      error_message: 'Slack answered missing_scope',
    })
    .where('name', '=', 'send-welcome')
    .execute();
  await database.queries.updateTable('runs').set({ status: 'failed', due_at: null }).execute();
  await database.close();
  return runId;
}

interface ProcessEnd {
  exitCode: number;
  stdout: string;
  stderr: string;
}

function end(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  options: { cwd?: string; uid?: number; gid?: number } = {},
): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    execFile(
      file,
      args,
      { cwd: root, env: { NODE_COMPILE_CACHE: compileCache, ...env }, timeout: 30_000, ...options },
      (error, stdout, stderr) => {
        resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

const foyer = (commandLine: readonly string[], env: Record<string, string>) =>
  end(process.execPath, [join(import.meta.dirname, 'support/app/cli.ts'), ...commandLine], env);

const npmRunFoyer = (commandLine: readonly string[], env: Record<string, string>) =>
  end('npm', ['run', '-s', 'foyer', '--', ...commandLine], env);

/** Starts a Slack that accepts every revocation. */
async function startSlack(t: TestContext) {
  const revoked: string[] = [];
  const server = createServer((request, response) => {
    revoked.push(request.headers.authorization?.replace('Bearer ', '') ?? '');
    response.setHeader('content-type', 'application/json').end('{"ok":true,"revoked":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return { apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`, revoked };
}

test('`npm run -s foyer -- list --json` prints only JSON to stdout', async (t) => {
  const { run, runId } = await prepare(t);
  const [listed, unknown, wrong] = await Promise.all([
    run(['list', '--json'], {}, npmRunFoyer),
    run(['show', 'T9', '--json'], {}, npmRunFoyer),
    run(['show', '--json'], {}, npmRunFoyer),
  ]);
  assert.deepEqual([listed.exitCode, unknown.exitCode, wrong.exitCode], [0, 1, 2]);
  assert.deepEqual([unknown.stdout, wrong.stdout], ['', '']);
  const [installation, ...others] = JSON.parse(listed.stdout);
  assert.deepEqual(others, []);
  assert.equal(installation.teamId, 'T1');
  assert.equal(installation.run.id, runId);
});

test('`list`, `show`, `requests`, `manifest`, `backup`, `purge` and `retry` print no secret to stdout or stderr', async (t) => {
  const { folder, run, runId } = await prepare(t);
  const { apiUrl, revoked } = await startSlack(t);
  const reading = [['list'], ['show', 'T1'], ['requests'], ['manifest']];
  const printed = await Promise.all([
    ...reading.flatMap((command) => [run(command), run([...command, '--json'])]),
    run(['backup', join(folder, 'backup.db')]),
    run(['purge', 'T1']),
  ]);
  for (const command of [
    ['retry', runId],
    ['purge', 'T1', '--yes'],
  ]) {
    printed.push(await run(command, { SLACK_API_URL: apiUrl }));
  }
  const output = printed.map(({ stdout, stderr }) => stdout + stderr).join('');
  assert.match(output, /Acme/);
  for (const [name, secret] of Object.entries(secrets)) {
    assert.equal(output.includes(secret), false, `${name} was printed`);
  }
  assert.deepEqual(revoked.sort(), [secrets.botToken, secrets.userToken]);
});

test('with the wrong encryption key, `list`, `show` and `requests` still work, and `purge` erases only with --no-revoke', async (t) => {
  const { run } = await prepare(t);
  const { apiUrl, revoked } = await startSlack(t);
  const wrong = {
    TOKEN_ENCRYPTION_KEYS: `main:${Buffer.alloc(32, 8).toString('base64')}`,
    SLACK_API_URL: apiUrl,
  };
  for (const command of [['list'], ['show', 'T1'], ['requests']]) {
    assert.equal((await run(command, wrong)).exitCode, 0, command.join(' '));
  }
  const purge = await run(['purge', 'T1', '--yes'], wrong);
  assert.equal(purge.exitCode, 1);
  assert.match(purge.stderr, /main/);
  assert.match(purge.stderr, /Nothing was erased/);
  assert.deepEqual(revoked, []);
  assert.equal((await run(['show', 'T1'], wrong)).exitCode, 0);
  const withoutKey = await run(['purge', 'T1', '--yes', '--no-revoke'], wrong);
  assert.equal(withoutKey.exitCode, 0, withoutKey.stderr);
  assert.equal((await run(['show', 'T1'])).exitCode, 1);
});

test('`purge` fails if the key file is missing, and does not create a new one', async (t) => {
  const { file, run } = await prepare(t);
  const { exitCode, stderr } = await run(['purge', 'T1', '--yes'], { TOKEN_ENCRYPTION_KEYS: '' });
  assert.equal(exitCode, 1);
  assert.match(stderr, /key file .*foyer\.db\.key is missing/);
  assert.equal(existsSync(`${file}.key`), false);
});

test('`purge` removes the team’s name from the database files, and a second purge fails', async (t) => {
  const { file, run } = await prepare(t);
  const { apiUrl } = await startSlack(t);
  const purged = await run(['purge', 'T1', '--yes', '--json'], { SLACK_API_URL: apiUrl });
  assert.equal(purged.exitCode, 0, purged.stderr);
  assert.deepEqual(JSON.parse(purged.stdout).tokens, { revoked: 2, notRevoked: [] });
  for (const suffix of ['', '-wal']) {
    const bytes = existsSync(file + suffix) ? readFileSync(file + suffix) : Buffer.alloc(0);
    assert.equal(bytes.includes('Acme'), false, `the name is still in foyer.db${suffix}`);
  }
  assert.equal((await run(['purge', 'T1', '--yes'])).exitCode, 1);
});

test('`retry` queues the run and makes it due', async (t) => {
  const { file, run, runId } = await prepare(t);
  const retried = await run(['retry', runId, '--json']);
  assert.equal(retried.exitCode, 0, retried.stderr);
  assert.deepEqual(JSON.parse(retried.stdout), { runId, outcome: 'queued' });
  const database = await openSqlite(file);
  const row = await database.queries
    .selectFrom('runs')
    .select(['status', 'due_at'])
    .executeTakeFirstOrThrow();
  await database.close();
  assert.equal(row.status, 'queued');
  assert.notEqual(row.due_at, null);
});

test('`list` reports all problems in the environment together, and does not create a missing database', async (t) => {
  const { folder, run } = await prepare(t);
  const faults = await run(['list', '--json'], { SLACK_CLIENT_ID: '', PORT: 'x' });
  assert.deepEqual([faults.exitCode, faults.stdout], [1, '']);
  assert.match(faults.stderr, /SLACK_CLIENT_ID/);
  assert.match(faults.stderr, /PORT/);
  const missing = await run(['list'], { DATABASE_URL: `file:${folder}/none/foyer.db` });
  assert.deepEqual([missing.exitCode, missing.stdout], [1, '']);
  assert.match(missing.stderr, /There is no database yet at/);
  assert.equal(existsSync(join(folder, 'none')), false);
});

test('the server, list and setup report an unreadable .env and how to fix it', async (t) => {
  const { folder, run } = await prepare(t);
  writeFileSync(join(folder, '.env'), 'PORT=3001', { mode: 0o000 });
  chmodSync(folder, 0o755);
  // Root can read any file. So if root runs this test, the command runs as another user.
  const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  for (const command of [['src/main.ts'], ['src/cli.ts', 'list'], ['src/cli.ts', 'setup']]) {
    const { exitCode, stderr } = await run(command, {}, ([script = '', ...rest], env) =>
      end(process.execPath, ['--conditions=source', join(root, script), ...rest], env, {
        cwd: folder,
        ...as,
      }),
    );
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /\.env: exists but cannot be read: EACCES.*\n.*run this as the user/);
    assert.doesNotMatch(stderr, /\n +at /);
  }
});

test('`backup` writes a file that has the reported size and that Foyer can open', async (t) => {
  const { folder, run } = await prepare(t);
  const target = join(folder, 'backup.db');
  const { exitCode, stdout } = await run(['backup', target, '--json']);
  assert.equal(exitCode, 0);
  assert.equal(JSON.parse(stdout).bytes, statSync(target).size);
  const listed = await run(['list', '--json'], { DATABASE_URL: `file:${target}` });
  assert.equal(JSON.parse(listed.stdout)[0].teamId, 'T1');
});

test('output to a pipe has no colors', async (t) => {
  const { run } = await prepare(t);
  assert.equal((await run(['list'])).stdout.includes('\u001b'), false);
  assert.equal((await run(['list', '--help'])).stdout.includes('\u001b'), false);
});

test('`copy` to Postgres makes a database that works with the same encryption keys, and prints no password', async (t) => {
  const { run } = await prepare(t);
  const { apiUrl, revoked } = await startSlack(t);
  const { url, drop } = await createPostgresDatabase({ empty: true });
  t.after(drop);
  const password = 'recognisable-password';
  const there = url.replace('foyer@', `foyer:${password}@`);
  const copied = await run(['copy', '--to', there]);
  assert.equal(copied.exitCode, 0, copied.stderr);
  assert.match(copied.stdout, /^user_tokens +1 +1 /m);
  const again = await run(['copy', '--to', there, '--json']);
  assert.deepEqual([again.exitCode, again.stdout], [1, '']);
  const onPostgres = { DATABASE_URL: there, SLACK_API_URL: apiUrl };
  const listed = await run(['list', '--json'], onPostgres);
  assert.equal(JSON.parse(listed.stdout)[0].teamId, 'T1');
  const purged = await run(['purge', 'T1', '--yes'], onPostgres);
  assert.equal(purged.exitCode, 0, purged.stderr);
  assert.deepEqual(revoked.sort(), [secrets.botToken, secrets.userToken]);
  const output = [copied, again, listed, purged].map(({ stdout, stderr }) => stdout + stderr).join('');
  for (const secret of [password, ...Object.values(secrets)]) assert.equal(output.includes(secret), false);
});

test('list, show, --help and --version load no package that only the server or another command uses', async (t) => {
  const { folder, run } = await prepare(t);
  const trace = join(folder, 'packages');
  const tracer = new URL('./support/trace-packages.ts', import.meta.url).href;
  const loadedBy = async (commandLine: readonly string[]): Promise<Set<string>> => {
    writeFileSync(trace, '');
    const changes = { PACKAGE_TRACE: trace, NODE_OPTIONS: `--import ${tracer}` };
    const { exitCode, stderr } = await run(commandLine, changes);
    assert.equal(exitCode, 0, stderr);
    return new Set(readFileSync(trace, 'utf8').split('\n'));
  };
  const server = ['@slack/bolt', '@slack/oauth', '@slack/web-api', 'express', 'prom-client', 'fetch-to-node'];
  const spare = [...server, 'undici', 'jose', 'pg', '@clack/prompts'];
  const notUsed = (loaded: Set<string>) => spare.filter((name) => loaded.has(name));
  for (const commandLine of [['--version'], ['--help'], ['list'], ['show', 'T1', '--json']]) {
    const loaded = await loadedBy(commandLine);
    assert.ok(loaded.has('commander'), 'the tracer sees packages');
    assert.deepEqual(notUsed(loaded), [], commandLine.join(' '));
  }
});

const intoFullDevice = (commandLine: readonly string[], env: Record<string, string>) => {
  const program = join(import.meta.dirname, 'support/app/cli.ts');
  return end('sh', ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, program, ...commandLine], env);
};

test('a command exits with code 1 and a one-sentence error if its output does not fit on the disk', {
  skip: existsSync('/dev/full') ? false : 'this system has no /dev/full',
}, async (t) => {
  const { run } = await prepare(t);
  for (const commandLine of [['list', '--json'], ['--help']]) {
    const { exitCode, stderr } = await run(commandLine, {}, intoFullDevice);
    assert.deepEqual(
      [exitCode, stderr],
      [1, 'The output could not be written (ENOSPC): it is incomplete.\n'],
      commandLine.join(' '),
    );
  }
});
