import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { App } from '@slack/bolt';
import { parseConfig } from '../src/config/config.ts';
import { startFoyer } from '../src/serve.ts';
import { freePort } from '../src/testing/free-port.ts';
import { isServing, spawnFoyer } from './faults/support/foyer-process.ts';
import { fixtureManifest } from './support/fixture-manifest.ts';
import { postgresStageDatabase } from './support/stage-database.ts';
import { recordingLogger } from './support/start-foyer.ts';

const root = join(import.meta.dirname, '../../..');
const tracer = new URL('./support/trace-packages.ts', import.meta.url).href;

/** Starts a Foyer process as `npm start` does, without waiting until it is ready. */
function spawnStart(
  t: TestContext,
  environment: Record<string, string> = {},
  dotenv?: Buffer,
  nodeArguments: readonly string[] = [],
) {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-start-'));
  if (dotenv) writeFileSync(join(folder, '.env'), dotenv);
  const trace = join(folder, 'packages');
  const foyer = spawnFoyer({
    folder,
    nodeArguments: ['--import', tracer, ...nodeArguments],
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
  return { foyer, trace };
}

/** Starts a Foyer process, waits until it is ready or has failed, and returns it with the packages that it loaded. */
async function start(...given: Parameters<typeof spawnStart>) {
  const { foyer, trace } = spawnStart(...given);
  const isReady = await isServing(foyer);
  const loaded = new Set(readFileSync(trace, 'utf8').split('\n'));
  return { foyer, isReady, loaded };
}

const open = { messages_tab_read_only_enabled: false };
const readOnly = { messages_tab_read_only_enabled: true };

const notify = {
  NOTIFY_SLACK_WEBHOOK_URL: 'http://127.0.0.1:9/hook',
  NOTIFY_SMTP_URL: 'smtp://127.0.0.1:9',
  NOTIFY_EMAIL_FROM: 'foyer@example.com',
  NOTIFY_EMAIL_TO: 'operators@example.com',
};

describe('start-up', () => {
  it('npm start, npm run demo and npm run foyer use Node’s compile cache', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    for (const name of ['start', 'demo', 'foyer'])
      assert.match(
        scripts[name] ?? '',
        /^node --disable-sigusr1 --conditions=source --import \.\/packages\/foyer\/compile-cache\.js /,
      );
    const asked = [
      '--import',
      './packages/foyer/compile-cache.js',
      '-p',
      "require('node:module').getCompileCacheDir()",
    ];
    const env = { PATH: process.env.PATH };
    const kept = execFileSync(process.execPath, asked, { cwd: root, env, encoding: 'utf8' });
    assert.ok(kept.startsWith(join(root, 'node_modules/.cache/compiled')), kept);
  });

  it('Foyer does not open Node’s inspector on SIGUSR1', async (t) => {
    const { scripts }: { scripts: { start: string } } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const [flag = ''] = /--\S+/.exec(scripts.start) ?? [];
    const { foyer } = await start(t, {}, undefined, [flag]);
    const address = /"port":(\d+)/.exec(foyer.output())?.[1];
    foyer.child.kill('SIGUSR1');
    for (let n = 0; n < 5; n += 1)
      assert.equal((await fetch(`http://127.0.0.1:${address}/healthz`)).status, 200);
    assert.doesNotMatch(foyer.output(), /Debugger listening/);
  });

  it('if only SQLite is configured, Foyer starts without loading the packages for Postgres, notices, terminals and commands', async (t) => {
    const { isReady, loaded } = await start(t);
    assert.ok(isReady);
    assert.ok(loaded.has('better-sqlite3') && loaded.has('@slack/bolt'));
    const spare = ['pg', 'nodemailer', '@slack/webhook', 'pino-pretty', 'commander', '@clack/prompts'];
    assert.deepEqual(
      spare.filter((name) => loaded.has(name)),
      [],
    );
  });

  it('if notices are configured, Foyer loads the packages that send them before it is ready', async (t) => {
    const { isReady, loaded } = await start(t, notify);
    assert.ok(isReady);
    assert.ok(loaded.has('nodemailer') && loaded.has('@slack/webhook'));
  });

  for (const name of ['nodemailer', '@slack/webhook']) {
    it(`Foyer does not start if ${name} is needed and cannot be loaded`, async (t) => {
      const { foyer, isReady } = await start(t, { ...notify, PACKAGE_MISSING: name });
      assert.equal(isReady, false);
      assert.match(foyer.output(), new RegExp(`${name} cannot be loaded`));
      assert.equal((await foyer.ended).code, 1);
    });
  }

  it('a start on Postgres loads the package pg', async (t) => {
    const database = await postgresStageDatabase();
    const { isReady, loaded } = await start(t, database.environment);
    t.after(() => database.remove());
    assert.ok(isReady);
    assert.ok(loaded.has('pg'));
  });

  it('Foyer exits with code 0 if it is stopped while its start is waiting for the database', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const asked = once(silent, 'connection');
    const { foyer } = spawnStart(t, {
      DATABASE_URL: `postgres://foyer:secret@127.0.0.1:${port}/foyer`,
      TOKEN_ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    });
    const [connection] = (await asked) as [Socket];
    t.after(() => connection.destroy());
    foyer.child.kill('SIGTERM');
    assert.deepEqual(await foyer.ended, { code: 0, signal: null });
  });

  const refused: Readonly<Record<string, { environment: Record<string, string>; says: RegExp }>> = {
    'a database whose folder cannot be created': {
      environment: { DATABASE_URL: 'file:/proc/foyer/foyer.db' },
      says: /^The database \/proc\/foyer\/foyer\.db cannot be used: \w+: [^\n]+\.\n`npm run foyer -- doctor` [^\n]+\n$/,
    },
    'another machine’s address as HOST': {
      environment: { HOST: '192.0.2.1' },
      says: /\n {2}HOST: 192\.0\.2\.1 is not an address of this machine \(EADDRNOTAVAIL\)\n {4}→ use one of this machine’s addresses/,
    },
    'a root certificate file that does not exist': {
      environment: {
        DATABASE_URL: 'postgres://foyer@127.0.0.1:9/foyer?sslmode=verify-full&sslrootcert=/not/there.pem',
        TOKEN_ENCRYPTION_KEYS: `main:${Buffer.alloc(32, 7).toString('base64')}`,
      },
      says: /^The database \S+ cannot be used: ENOENT: no such file or directory, open '\/not\/there\.pem'/,
    },
  };
  for (const [what, { environment, says }] of Object.entries(refused)) {
    it(`if configured with ${what}, Foyer exits within ten seconds with code 1 and one message, even if logging is off`, async (t) => {
      const startedAt = performance.now();
      const { foyer, isReady } = await start(t, { ...environment, LOG_LEVEL: 'silent' });
      assert.equal(isReady, false);
      assert.equal((await foyer.ended).code, 1);
      assert.match(foyer.output(), says);
      assert.doesNotMatch(foyer.output(), /\n\s+at |"level"/);
      assert.ok(
        performance.now() - startedAt < 10_000,
        'Foyer waits only for a server that is down, not for a wrong setting',
      );
    });
  }

  it('a failed start below /opt/foyer, where systemd runs Foyer, suggests `foyer doctor` instead of an npm script', async (t) => {
    // Which command Foyer suggests depends on argv[1]. The test cannot put a script below /opt, so it sets argv[1].
    const setProgram = `data:text/javascript,${encodeURIComponent("process.argv[1]='/opt/foyer/current/src/main.ts'")}`;
    const { foyer } = spawnStart(t, { DATABASE_URL: 'file:/proc/foyer/foyer.db' }, undefined, [
      '--import',
      setProgram,
    ]);
    await foyer.ended;
    assert.match(foyer.output(), /^`foyer doctor` says what is wrong/m);
    assert.doesNotMatch(foyer.output(), /npm run/);
  });

  it('if the log is JSON, a start that fails reports its problems both as JSON and as text', async (t) => {
    const { foyer } = await start(t, { PORT: '70000', SLACK_CLIENT_SECRET: '' });
    assert.equal((await foyer.ended).code, 1);
    const line = JSON.parse(
      foyer
        .output()
        .split('\n')
        .find((each) => each.startsWith('{')) ?? '',
    );
    assert.deepEqual([line.level, line.severity, line.msg], [60, 'fatal', 'Foyer could not start']);
    assert.deepEqual(line.problems.map(({ name }: { name: string }) => name).toSorted(), [
      'PORT',
      'SLACK_CLIENT_SECRET',
    ]);
    assert.match(
      foyer.output(),
      /\n {2}PORT: is larger than 65535\n {4}→ /,
      'a person still reads plain text',
    );
  });

  it('Foyer does not start with a .env that is not UTF-8 text, and reports the encoding instead of every variable as missing', async (t) => {
    const dotenv = Buffer.from('\ufeffSLACK_CLIENT_ID=1.2\n', 'utf16le');
    const { foyer, isReady } = await start(t, { SLACK_CLIENT_ID: '', SLACK_CLIENT_SECRET: '' }, dotenv);
    assert.equal(isReady, false);
    assert.doesNotMatch(foyer.output(), /is missing/);
    assert.match(foyer.output(), /\.env: exists but cannot be read: it is not UTF-8 text\n/);
    assert.equal((await foyer.ended).code, 1);
  });
});

describe('when Foyer starts, it compares the manifest’s Messages tab with the listeners', () => {
  const message = (app: App): void => app.message('hello', async () => {});
  const cases: [
    string,
    { tab: object; events?: string[]; listeners?: (app: App) => void },
    RegExp | undefined,
  ][] = [
    ['read-only without a listener', { tab: readOnly }, undefined],
    ['off', { tab: { messages_tab_enabled: false } }, undefined],
    [
      'open with a listener but without a subscription to message.im',
      { tab: open, listeners: message },
      /does not subscribe to message\.im/,
    ],
    ['open without a listener', { tab: open, events: ['message.im'] }, /no listener for messages/],
    [
      'open with a listener for another event only',
      { tab: open, events: ['message.im'], listeners: (app) => app.event('app_mention', async () => {}) },
      /no listener for messages/,
    ],
    [
      'open with a listener for messages',
      { tab: open, events: ['message.im'], listeners: message },
      undefined,
    ],
    [
      'open with a listener for every event',
      { tab: open, events: ['message.im'], listeners: (app) => app.event(/.*/, async () => {}) },
      undefined,
    ],
    [
      'open with a middleware',
      { tab: open, events: ['message.im'], listeners: (app) => app.use(async ({ next }) => next()) },
      undefined,
    ],
    [
      'read-only with a subscription to message.im',
      { tab: readOnly, events: ['message.im'] },
      /subscribes to message\.im/,
    ],
    [
      'read-only with a listener for messages',
      { tab: readOnly, listeners: message },
      /has a listener for messages/,
    ],
    [
      'read-only with a listener for messages in channels',
      { tab: readOnly, events: ['message.channels'], listeners: message },
      undefined,
    ],
  ];
  for (const [name, { tab, events = [], listeners }, expected] of cases) {
    it(`when Foyer starts, it ${expected ? 'warns' : 'does not warn'} about a Messages tab that is ${name}`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'foyer-start-'));
      const manifest = JSON.parse(fixtureManifest);
      Object.assign(manifest.features.app_home, tab);
      manifest.settings.event_subscriptions.bot_events.push(...events);
      const variables = {
        SLACK_CLIENT_ID: '1.2',
        SLACK_CLIENT_SECRET: 'client-secret',
        SLACK_SIGNING_SECRET: 'signing-secret',
        PORT: '0',
        DATABASE_URL: `file:${join(folder, 'foyer.db')}`,
      };
      const config = parseConfig(variables, JSON.stringify(manifest));
      const { log, lines } = recordingLogger(config);
      const foyer = await startFoyer(config, log, { definition: listeners ? { listeners } : {} });
      t.after(async () => {
        await foyer.stop();
        rmSync(folder, { recursive: true });
      });
      const said = lines.filter((line) => line.includes('Messages tab'));
      assert.equal(said.length, expected ? 1 : 0, said.join());
      if (expected) assert.match(said[0] ?? '', expected);
    });
  }
});

describe('when Foyer starts, it compares the port of PUBLIC_URL with the port on which it listens', () => {
  const cases: [publicUrl: string, more: Record<string, string>, warns: boolean][] = [
    ['http://localhost:3999', {}, true],
    ['http://[::1]:3999', {}, true],
    ['http://localhost:3999', { TRUST_PROXY: '1' }, false],
    ['http://localhost', {}, false],
    ['https://localhost:3999', {}, false],
    ['https://foyer.example.com', {}, false],
  ];
  for (const [publicUrl, more, warns] of cases) {
    it(`if Foyer listens${more.TRUST_PROXY ? ' behind a proxy' : ''} on a port that is not in ${publicUrl}, it ${warns ? 'warns once' : 'does not warn'}`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'foyer-start-'));
      const config = parseConfig(
        {
          SLACK_CLIENT_ID: '1.2',
          SLACK_CLIENT_SECRET: 'client-secret',
          SLACK_SIGNING_SECRET: 'signing-secret',
          PUBLIC_URL: publicUrl,
          PORT: String(await freePort()),
          DATABASE_URL: `file:${join(folder, 'foyer.db')}`,
          ...more,
        },
        fixtureManifest,
      );
      const { log, lines } = recordingLogger(config);
      const foyer = await startFoyer(config, log);
      t.after(async () => {
        await foyer.stop();
        rmSync(folder, { recursive: true });
      });
      const warnings = lines.filter((line) => line.includes('PUBLIC_URL'));
      assert.equal(warnings.length, warns ? 1 : 0, warnings.join());
      if (warns) assert.match(warnings[0] ?? '', /"level":40.*"fix":"set PORT=3999/);
    });
  }
});

describe('the log line about a new SQLite database', () => {
  const key = `main:${Buffer.alloc(32, 7).toString('base64')}`;

  /** Starts and stops Foyer, and returns the lines about the new database. */
  async function startOnce(file: string, more: Record<string, string> = {}): Promise<string[]> {
    const config = parseConfig(
      {
        SLACK_CLIENT_ID: '1.2',
        SLACK_CLIENT_SECRET: 'client-secret',
        SLACK_SIGNING_SECRET: 'signing-secret',
        PORT: '0',
        DATABASE_URL: `file:${file}`,
        ...more,
      },
      fixtureManifest,
    );
    const { log, lines } = recordingLogger(config);
    const foyer = await startFoyer(config, log);
    await foyer.stop();
    return lines.filter((line) => line.includes('created a new, empty database'));
  }
  const newFile = (t: TestContext): string => {
    const folder = mkdtempSync(join(tmpdir(), 'foyer-start-'));
    t.after(() => rmSync(folder, { recursive: true }));
    return join(folder, 'data', 'foyer.db');
  };

  it('is information if there is no key yet, and is not repeated at the next start', async (t) => {
    const file = newFile(t);
    const [line = '', ...others] = await startOnce(file);
    assert.deepEqual(others, []);
    assert.match(line, /"level":30.*created a new, empty database at .*foyer\.db"/);
    assert.deepEqual(await startOnce(file), []);
  });

  it('is a warning if TOKEN_ENCRYPTION_KEYS has a key', async (t) => {
    const [line = ''] = await startOnce(newFile(t), { TOKEN_ENCRYPTION_KEYS: key });
    assert.match(line, /"level":40.*"fix":"if there was a database.*stop Foyer.*restore-and-who-is-missing/);
  });

  it('is a warning if a key file is left from a lost or emptied database', async (t) => {
    const file = newFile(t);
    await startOnce(file);
    for (const name of [file, `${file}-wal`, `${file}-shm`]) rmSync(name, { force: true });
    assert.match((await startOnce(file))[0] ?? '', /"level":40/);
    writeFileSync(file, '');
    assert.match((await startOnce(file))[0] ?? '', /"level":40/);
  });
});
