import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import Sqlite from 'better-sqlite3';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { saveConnection } from '../../src/database/connections.ts';
import { peekTables } from '../../src/database/peek-tables.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import { createOutput } from '../../src/operator/terminal/output.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import { fillEveryTable } from './fill-every-table.ts';
import {
  createOperatorHarness,
  installedAt,
  storeInstallation,
  storeRun,
  testOnBothEngines,
} from './operator-harness.ts';

testOnBothEngines(
  '`list --json` prints an array of installations with exactly the documented fields',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1', enterprise_id: 'E1' });
    const connection = { installationId: 'ins_1', subject: 'user-1', label: 'Acme', data: null };
    await database.write((tx) =>
      saveConnection(tx, { ...connection, org: 'org-0', now: installedAt - 1000 }),
    );
    await database.write((tx) => saveConnection(tx, { ...connection, org: 'org-1', now: installedAt }));
    const runId = await storeRun(database, 'ins_1', [
      { name: 'register-team', status: 'succeeded' },
      { name: 'send-welcome', status: 'failed', errors: ['missing_scope'] },
    ]);
    const { exitCode, stdout, stderr } = await run(['list', '--json']);
    assert.equal(exitCode, 0);
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), [
      {
        teamId: 'T1',
        teamName: 'Acme',
        enterpriseId: 'E1',
        isEnterpriseInstall: false,
        status: 'active',
        installerUserId: 'U1',
        installedAt: '2026-11-22T01:47:03.000Z',
        botScopes: ['chat:write', 'im:write'],
        connection: { org: 'org-1', subject: 'user-1', connectedAt: '2026-11-22T01:47:03.000Z' },
        run: {
          id: runId,
          pipeline: 'install',
          status: 'failed',
          steps: [
            { name: 'register-team', status: 'succeeded', attempts: 1, error: null },
            { name: 'send-welcome', status: 'failed', attempts: 1, error: 'missing_scope' },
          ],
        },
      },
    ]);
  },
);

test('`list --json` prints null for each missing value of an org-wide install without a bot or a run', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1', team_id: null, enterprise_id: 'E1', bot_scopes: null });
  const [printed] = JSON.parse((await run(['list', '--json'])).stdout);
  assert.deepEqual(printed, {
    teamId: null,
    teamName: null,
    enterpriseId: 'E1',
    isEnterpriseInstall: true,
    status: 'active',
    installerUserId: 'U1',
    installedAt: '2026-11-22T01:47:03.000Z',
    botScopes: null,
    connection: null,
    run: null,
  });
});

testOnBothEngines(
  '`list` shows only this app’s installations that match the options, newest first',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    const at = Date.UTC(2026, 10, 20);
    await storeInstallation(database, { id: 'ins_1', team_id: 'T1', installed_at: at });
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', installed_at: at + 1, status: 'broken' });
    await storeInstallation(database, { id: 'ins_3', team_id: 'T3', installed_at: at + 2 });
    await storeInstallation(database, { id: 'ins_4', team_id: 'T4', client_id: 'another' });
    await storeRun(database, 'ins_1', [{ name: 'send-welcome', status: 'failed', errors: ['timeout'] }]);
    await storeRun(database, 'ins_3', [{ name: 'send-welcome', status: 'succeeded' }]);
    const teams = async (...options: string[]) =>
      JSON.parse((await run(['list', '--json', ...options])).stdout).map(
        (one: { teamId: string }) => one.teamId,
      );
    assert.deepEqual(await teams(), ['T3', 'T2', 'T1']);
    assert.deepEqual(await teams('--status', 'broken'), ['T2']);
    assert.deepEqual(await teams('--failed'), ['T1']);
    assert.deepEqual(await teams('--failed', '--status', 'uninstalled'), []);
    assert.deepEqual(await teams('--limit', '2'), ['T3', 'T2']);
    assert.deepEqual(await teams('--limit', '1', '--failed'), ['T1']);
    assert.deepEqual(await teams('--since', '2026-11-20'), ['T3', 'T2', 'T1']);
    assert.deepEqual(await teams('--since', '2026-11-21'), []);
    assert.equal((await run(['list', '--since', 'yesterday'])).exitCode, 2);
    assert.match((await run(['list', '--status', 'uninstalled'])).stdout, /^No installation matches\.$/m);
  },
);

test('`list` names every failed step of a run, including notify-operators', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1', team_id: 'T1' });
  await storeRun(database, 'ins_1', [
    { name: 'send-welcome', status: 'unconfirmed' },
    { name: 'notify-operators', status: 'failed', errors: ['connection_failed'] },
    { name: 'start-trial', status: 'failed', errors: ['unexpected_error'] },
  ]);
  const { stdout } = await run(['list']);
  assert.match(stdout, / {2}notify-operators: connection_failed, start-trial: unexpected_error$/m);
});

test('`list` aligns its table, and colors it only on a terminal', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1', team_id: 'T1', team_name: '東京支社 🎉' });
  await storeInstallation(database, { id: 'ins_2', team_id: 'T200', team_name: 'Acme' });
  await storeRun(database, 'ins_1', [{ name: 'send-welcome', status: 'failed', errors: ['missing_scope'] }]);
  const piped = await run(['list']);
  assert.equal(
    piped.stdout,
    [
      'TEAM  NAME         STATUS  INSTALLED             BY  RUN     TROUBLE',
      'T200  Acme         active  2026-11-22 01:47:03Z  U1  -       -',
      'T1    東京支社 🎉  active  2026-11-22 01:47:03Z  U1  failed  send-welcome: missing_scope',
      '',
    ].join('\n'),
  );
  const shown = await run(['list'], { terminal: true });
  assert.notEqual(shown.stdout, piped.stdout);
  assert.equal(stripVTControlCharacters(shown.stdout), piped.stdout);
});

test('`list` and `show` print names without control characters', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  const name = 'Ac\u001b[31m\u001b]0;owned\u0007me\u202egnp\u009b2J\nT666';
  await storeInstallation(database, { id: 'ins_1', team_name: name });
  // Matches U+202E, which reverses the direction of text, and every control character except the line feed.
  const commanding = /[^\P{Cc}\n]|\u202e/u;
  for (const command of [['list'], ['show', 'T1'], ['list', '--json'], ['show', 'T1', '--json']]) {
    const { stdout } = await run(command);
    assert.doesNotMatch(stdout, commanding, command.join(' '));
  }
  assert.equal(
    (await run(['list'])).stdout.trimEnd().split('\n').length,
    2,
    'a name makes no line of its own',
  );
  assert.equal(JSON.parse((await run(['list', '--json'])).stdout)[0].teamName, name, 'JSON keeps the value');
});

test('`list` says that there is no database, and creates none', async (t) => {
  const { folder, config, run } = await createOperatorHarness(t);
  const file = join(folder, 'elsewhere', 'foyer.db');
  const readConfig = () => ({ ...config, database: { kind: 'sqlite' as const, file } });
  const { exitCode, stdout, stderr } = await run(['list', '--json'], { readConfig });
  assert.equal(exitCode, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /There is no database yet at .*elsewhere/);
  assert.equal(existsSync(join(folder, 'elsewhere')), false);
});

test('`list` gives the same advice as doctor if the database file is empty, or is missing while its key file is still there', async (t) => {
  const { folder, config, run, variables } = await createOperatorHarness(t);
  const empty = join(folder, 'empty.db');
  writeFileSync(empty, '');
  const gone = join(folder, 'gone.db');
  writeFileSync(`${gone}.key`, '');
  for (const file of [empty, gone]) {
    const readConfig = () => ({ ...config, database: { kind: 'sqlite' as const, file } });
    const listed = await run(['list'], { readConfig });
    const readEnvironment = () => ({ ...variables, DATABASE_URL: `file:${file}` });
    const doctor = await run(['doctor', '--offline', '--json'], {
      readEnvironment,
      loadKeyring: loadExistingKeyring,
    });
    const { detail, fix } = JSON.parse(doctor.stdout).find(
      ({ check }: { check: string }) => check === 'database',
    );
    assert.equal(listed.exitCode, 1);
    assert.equal(listed.stderr, `${detail} ${fix}\n`);
    assert.match(listed.stderr, /do not start Foyer/i);
  }
});

test('`list` reports that Postgres has no Foyer tables, and creates none', async (t) => {
  const { config, run } = await createOperatorHarness(t);
  const { url, drop } = await createPostgresDatabase({ empty: true });
  t.after(drop);
  const target = { kind: 'postgres' as const, url };
  const { exitCode, stdout, stderr } = await run(['list', '--json'], {
    readConfig: () => ({ ...config, database: target }),
  });
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /There is no database yet at postgres:\/\/foyer@.*check DATABASE_URL/);
  assert.deepEqual(await peekTables(target), []);
});

test('`list` leaves the SQLite file of another program unchanged', async (t) => {
  const { folder, config, run } = await createOperatorHarness(t);
  const file = join(folder, 'other.db');
  const sqlite = new Sqlite(file);
  sqlite.exec('pragma journal_mode = WAL; create table orders (id)');
  sqlite.close();
  chmodSync(file, 0o644);
  const before = { content: readFileSync(file), names: readdirSync(folder) };
  const readConfig = () => ({ ...config, database: { kind: 'sqlite' as const, file } });
  const { exitCode, stderr } = await run(['list'], { readConfig });
  assert.ok(readFileSync(file).equals(before.content), 'the file was changed');
  assert.deepEqual(readdirSync(folder), before.names);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  assert.equal(exitCode, 1);
  assert.match(
    stderr,
    /^The database \S+other\.db contains no Foyer tables\. Start Foyer once \(npm start\) to create them, or check DATABASE_URL\.\n$/,
  );
});

test('`list` names a file that is not a database, and leaves its mode unchanged', async (t) => {
  const { folder, config, run } = await createOperatorHarness(t);
  const file = join(folder, 'letter.txt');
  writeFileSync(file, 'Dear Slack, '.repeat(500), { mode: 0o644 });
  const readConfig = () => ({ ...config, database: { kind: 'sqlite' as const, file } });
  const { exitCode, stderr } = await run(['list'], { readConfig });
  assert.equal(exitCode, 1);
  assert.match(stderr, /letter\.txt cannot be used/);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  assert.doesNotMatch(stderr, /bug in Foyer/);
});

test('`list` reports every problem of the configuration at once', async (t) => {
  const { variables, run } = await createOperatorHarness(t);
  const readConfig = () => parseConfig({ ...variables, PORT: 'x', LOG_LEVEL: 'loud' }, fixtureManifest);
  assert.throws(readConfig, ConfigError);
  const { exitCode, stdout, stderr } = await run(['list', '--json'], { readConfig });
  assert.equal(exitCode, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^list cannot run: 2 problems to fix:\n/);
  assert.match(stderr, /PORT[\s\S]*LOG_LEVEL|LOG_LEVEL[\s\S]*PORT/);
});

test('`list` says where to install the app if it is not installed anywhere', async (t) => {
  const { variables, run } = await createOperatorHarness(t);
  assert.match(
    (await run(['list'])).stdout,
    /The app is not installed anywhere yet\..*http:\/\/localhost:3000\//,
  );
  const below = await run(['list'], {
    readConfig: () => parseConfig(variables, fixtureManifest, '/integrations/slack'),
  });
  assert.match(below.stdout, /Install it at http:\/\/localhost:3000\/integrations\/slack\/\n/);
  assert.equal((await run(['list', '--json'])).stdout, '[]\n');
});

testOnBothEngines(
  '`list` shows each of 1,203 installations once, with its own newest run',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    const count = 1203;
    await fillEveryTable(database, count);
    const listed: { teamId: string; run: { id: string; steps: unknown[] } }[] = JSON.parse(
      (await run(['list', '--json'])).stdout,
    );
    assert.deepEqual(
      listed.map(({ teamId }) => teamId),
      Array.from({ length: count }, (_, n) => `T${count - 1 - n}`),
    );
    for (const { teamId, run } of listed) {
      assert.ok(run.id.endsWith(teamId.slice(1).padStart(6, '0')), `${teamId} ${run.id}`);
      assert.equal(run.steps.length, 1);
    }
    const lines = (await run(['list'])).stdout.trimEnd().split('\n');
    assert.equal(lines.length, count + 1);
    assert.equal(lines.filter((line) => line.startsWith('TEAM ')).length, 1);
  },
);

test('`list` stops reading once its output is closed', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await fillEveryTable(database, 1500);
  const stdout = new PassThrough({ highWaterMark: 1 });
  const stderr = new PassThrough();
  let written = 0;
  stdout.once('data', () => stdout.destroy());
  const output = createOutput({ stdout, stderr });
  const counting = {
    ...output,
    print: (lines: string) => {
      written += lines.split('\n').length;
      output.print(lines);
    },
  };
  const { exitCode } = await run(['list'], { output: counting });
  assert.equal(exitCode, 0);
  assert.ok(written < 1000, `${written} lines`);
});
