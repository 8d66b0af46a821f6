import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isServing, spawnFoyer } from './faults/support/foyer-process.ts';
import { postgresStageDatabase } from './support/stage-database.ts';

const root = join(import.meta.dirname, '..');
const tracer = new URL('./support/trace-packages.ts', import.meta.url).href;

/** Starts Foyer as `npm start` does; what it had loaded when it was ready, or had given up. */
async function start(t: TestContext, environment: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-start-'));
  const trace = join(folder, 'packages');
  const foyer = spawnFoyer({
    folder,
    nodeArguments: ['--import', tracer],
    environment: {
      SLACK_CLIENT_ID: '1.2',
      SLACK_CLIENT_SECRET: 'client-secret',
      SLACK_SIGNING_SECRET: 'signing-secret',
      PORT: '0',
      HOST: '127.0.0.1',
      DATABASE_URL: `file:${join(folder, 'foyer.db')}`,
      NODE_ENV: 'test',
      PACKAGE_TRACE: trace,
      ...environment,
    },
  });
  t.after(async () => {
    foyer.child.kill('SIGTERM');
    await foyer.ended;
    rmSync(folder, { recursive: true });
  });
  const isReady = await isServing(foyer);
  const loaded = new Set(readFileSync(trace, 'utf8').split('\n'));
  return { foyer, isReady, loaded };
}

const notify = {
  NOTIFY_SLACK_WEBHOOK_URL: 'http://127.0.0.1:9/hook',
  NOTIFY_SMTP_URL: 'smtp://127.0.0.1:9',
  NOTIFY_EMAIL_FROM: 'foyer@example.com',
  NOTIFY_EMAIL_TO: 'operators@example.com',
};

describe('a start', () => {
  it('finds again what Node compiled for the last one, as npm start asks for it', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    for (const name of ['start', 'demo', 'foyer'])
      assert.match(scripts[name] ?? '', /^node --import \.\/src\/compile-cache\.js /);
    const asked = ['--import', './src/compile-cache.js', '-p', "require('node:module').getCompileCacheDir()"];
    const env = { PATH: process.env.PATH };
    const kept = execFileSync(process.execPath, asked, { cwd: root, env, encoding: 'utf8' });
    assert.ok(kept.startsWith(join(root, 'node_modules/.cache/compiled')), kept);
  });

  it('on SQLite with nothing else configured loads no package that something else would need', async (t) => {
    const { isReady, loaded } = await start(t);
    assert.ok(isReady);
    assert.ok(loaded.has('better-sqlite3') && loaded.has('@slack/bolt'));
    const spare = [
      'pg',
      'nodemailer',
      '@slack/webhook',
      'pino-pretty',
      'commander',
      '@clack/prompts',
      '@opentelemetry/api',
    ];
    assert.deepEqual(
      spare.filter((name) => loaded.has(name)),
      [],
    );
  });

  it('has loaded what tells the operators before it is ready, where that is configured', async (t) => {
    const { isReady, loaded } = await start(t, notify);
    assert.ok(isReady);
    assert.ok(loaded.has('nodemailer') && loaded.has('@slack/webhook'));
  });

  for (const name of ['nodemailer', '@slack/webhook']) {
    it(`fails where ${name} is needed and cannot be loaded`, async (t) => {
      const { foyer, isReady } = await start(t, { ...notify, PACKAGE_MISSING: name });
      assert.equal(isReady, false);
      assert.match(foyer.output(), new RegExp(`${name} cannot be loaded`));
      assert.equal((await foyer.ended).code, 1);
    });
  }

  it('on Postgres loads its driver', async (t) => {
    const database = await postgresStageDatabase();
    const { isReady, loaded } = await start(t, database.environment);
    t.after(() => database.remove());
    assert.ok(isReady);
    assert.ok(loaded.has('pg'));
  });
});
