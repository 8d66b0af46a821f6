import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { environmentSchema } from '../../src/config/environment-schema.ts';
import { foyerVersion } from '../../src/config/version.ts';
import { migrationNames } from '../../src/database/migrate.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import type { SupportBundle } from '../../src/operator/support-bundle/collect-bundle.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { key, prepareDoctor } from './doctor-harness.ts';
import {
  createOperatorHarness,
  installedAt,
  type RunOptions,
  storeInstallation,
  storeRequest,
  storeRun,
  storeUser,
  testOnBothEngines,
} from './operator-harness.ts';

const stored = {
  botToken: 'xoxb-1111-2222-recognisableBot',
  userToken: 'xoxp-3333-4444-recognisableUser',
  refreshToken: 'xoxe-1-recognisableRefresh',
  webhookUrl: 'https://hooks.slack.com/services/T1/B1/recognisableWebhook',
  name: 'Grace Hopper',
  email: 'ada@acme.example',
};

/** Variables whose values contain a secret or name a person. The bundle must not show these values. */
const secretVariables = {
  CONNECT_SECRET: randomBytes(32).toString('base64'),
  OPERATOR_PASSWORD: 'tumble-vexing-orchard-94',
  METRICS_TOKEN: randomBytes(24).toString('hex'),
  // Nothing listens at this address, so doctor reports a problem.
  NOTIFY_SMTP_URL: 'smtp://grace:p%40ss%2Fmail@127.0.0.1:1',
  NOTIFY_EMAIL_FROM: 'Grace Hopper <grace@ops.example>',
  NOTIFY_EMAIL_TO: 'night-shift@ops.example',
  SUPPORT_URL: 'mailto:help-desk@ops.example',
  OPERATOR_SLACK_USERS: 'T012AB3C4/U0GRACE00',
  // These two variables are not Foyer's own.
  PGPASSWORD: 'password-of-the-server',
  HTTPS_PROXY: 'http://proxy:proxy-password@127.0.0.1:1',
};

/** Runs the command with this environment, as an operator does. */
async function runBundle(
  run: Awaited<ReturnType<typeof createOperatorHarness>>['run'],
  environment: Readonly<Record<string, string>>,
  commandLine: readonly string[],
  options: RunOptions = {},
) {
  return run(['support-bundle', ...commandLine], {
    readEnvironment: () => environment,
    readConfig: () => parseConfig(environment, fixtureManifest),
    loadKeyring: loadExistingKeyring,
    ...options,
  });
}

const parse = (text: string): SupportBundle => JSON.parse(text);
const reasons = ({ missing }: SupportBundle) =>
  Object.fromEntries(missing.map(({ part, reason }) => [part, reason]));

describe('the support bundle of a running Foyer', () => {
  async function prepare(t: TestContext) {
    const prepared = await prepareDoctor(t);
    const { database, sandbox } = prepared;
    const environment: Record<string, string> = {
      ...prepared.environment,
      SIGN_IN: 'on',
      ...secretVariables,
    };
    await storeUser(database, { installationId: 'ins_1', userId: 'U1', realName: stored.name });
    await storeRun(database, 'ins_1', [
      { name: 'register-team', status: 'succeeded' },
      // The app chooses its error codes, so a code may contain anything.
      { name: 'fetch-profile', status: 'failed', errors: [stored.botToken] },
      { name: 'send-welcome', status: 'failed', errors: [`${stored.name} has no channel`] },
      { name: 'publish-home', status: 'failed', errors: [secretVariables.METRICS_TOKEN] },
    ]);
    const everything = JSON.stringify({ ...stored, ...secretVariables });
    await database.queries
      .updateTable('steps')
      .set({ output: everything, error_message: everything })
      .execute();
    await database.queries.updateTable('history').set({ detail: everything }).execute();
    await database.queries.updateTable('installations').set({ broken_reason: everything }).execute();
    const { clientId } = sandbox.app;
    await storeRequest(database, { id: 'req_1', client_id: clientId, team_name: everything });
    await storeRequest(database, { id: 'req_2', client_id: clientId, error_code: stored.refreshToken });
    return { ...prepared, environment, now: () => installedAt + 60_000 };
  }

  it('the support bundle holds no secret, no token, and no name or address of a person', async (t) => {
    const { run, folder, sandbox, environment, now } = await prepare(t);
    const file = join(folder, 'bundle.json');
    const { exitCode, stdout, stderr } = await runBundle(run, environment, [file], { now });
    assert.equal(exitCode, 0, stderr);
    const text = readFileSync(file, 'utf8');
    const { NOTIFY_EMAIL_FROM: _from, HTTPS_PROXY: _proxy, ...whole } = secretVariables;
    const planted = {
      ...stored,
      ...whole,
      clientSecret: sandbox.app.clientSecret,
      signingSecret: sandbox.app.signingSecret,
      key: key.base64,
      webhookVariable: environment.NOTIFY_SLACK_WEBHOOK_URL ?? '',
      mailPassword: 'p%40ss%2Fmail',
      mailPasswordDecoded: 'p@ss/mail',
      proxyPassword: 'proxy-password',
      sender: 'grace@ops.example',
      webhookPath: 'recognisableWebhook',
    };
    for (const [name, secret] of Object.entries(planted)) {
      assert.ok(secret.length >= 6, name);
      for (const printed of [text, stdout, stderr]) {
        assert.equal(printed.includes(secret), false, `${name} is in it`);
        assert.equal(
          printed.includes(JSON.stringify(secret).slice(1, -1)),
          false,
          `${name} is in it, as JSON`,
        );
      }
    }
    const { variables } = parse(text).configuration;
    const harmless = Object.keys(variables).filter((name) => variables[name]?.value !== undefined);
    assert.deepEqual(harmless.sort(), ['PORT', 'PUBLIC_URL', 'SIGN_IN', 'SLACK_CLIENT_ID']);
    assert.deepEqual(Object.keys(variables), Object.keys(environmentSchema.shape));
    for (const name of Object.keys(whole)) {
      if (name in environmentSchema.shape) assert.deepEqual(variables[name], { set: true }, name);
    }
  });

  it('the support bundle reports versions, configuration, failures and the findings of `doctor`', async (t) => {
    const { run, folder, environment, publicUrl, running } = await prepare(t);
    running.now = installedAt;
    const now = () => installedAt + 60_000;
    const { stdout } = await runBundle(run, environment, [], { now });
    const file = join(folder, 'foyer-support-2026-11-22T014803Z.json');
    assert.match(stdout, new RegExp(`bundle +${file}\n`));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const bundle = parse(readFileSync(file, 'utf8'));
    assert.deepEqual(bundle.missing, []);
    assert.equal(bundle.madeAt, '2026-11-22T01:48:03.000Z');
    assert.equal(bundle.versions.foyer, foyerVersion);
    assert.equal(bundle.versions.node, process.version);
    assert.equal(bundle.configuration.inUse?.publicUrl, publicUrl);
    assert.deepEqual(bundle.configuration.inUse?.notifiesBy, { webhook: true, mail: true });
    assert.deepEqual(bundle.definition.install, ['register-team']);
    assert.ok(bundle.doctor?.some(({ check, status }) => check === 'mail-server' && status === 'fault'));
    assert.equal(bundle.processes?.[0]?.slack.verified, 0);
    assert.equal(JSON.stringify(bundle.processes).includes('settings'), false, 'no fingerprint of a secret');
    const { database } = bundle;
    assert.equal(database?.engine.name, 'sqlite');
    assert.match(database?.engine.version ?? '', /^3\.\d+\.\d+$/);
    assert.deepEqual(database?.migrations, { foyer: migrationNames, app: [] });
    assert.deepEqual(database?.installations, { active: 1, broken: 0, uninstalled: 0 });
    assert.deepEqual(database?.runs, [{ pipeline: 'install', status: 'failed', count: 1 }]);
    assert.deepEqual(
      database?.failedSteps?.map(({ step, errorCode }) => [step, errorCode]),
      [
        ['fetch-profile', '[secret]'],
        ['send-welcome', '[not a code]'],
        ['publish-home', '[secret]'],
      ],
    );
    assert.deepEqual(database?.requestsOfLastDay, [
      { outcome: 'failed', errorCode: 'slack_unreachable', count: 1 },
      { outcome: 'failed', errorCode: '[secret]', count: 1 },
    ]);
  });
});

testOnBothEngines(
  'the support bundle counts only this app’s records, and only install requests of the last day',
  async (t, engine) => {
    const { run, database, variables } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', status: 'broken' });
    await storeInstallation(database, { id: 'ins_3', client_id: 'another' });
    for (const id of ['ins_1', 'ins_3'])
      await storeRun(database, id, [
        { name: 'send-welcome', status: 'failed', errors: ['channel_not_found'] },
      ]);
    await storeRequest(database, { id: 'req_1' });
    await storeRequest(database, { id: 'req_2', started_at: installedAt - 25 * 60 * 60_000 });
    await storeRequest(database, { id: 'req_3', client_id: 'another' });
    const { stdout } = await runBundle(run, variables, ['--offline', '--json']);
    const bundle = parse(stdout);
    assert.deepEqual(Object.keys(reasons(bundle)), ['processes']);
    assert.match(bundle.database?.engine.version ?? '', /^\d+\.\d+/);
    assert.deepEqual(bundle.database?.migrations.foyer, migrationNames);
    assert.deepEqual(bundle.database?.installations, { active: 1, broken: 1, uninstalled: 0 });
    assert.deepEqual(bundle.database?.runs, [{ pipeline: 'install', status: 'failed', count: 1 }]);
    assert.equal(bundle.database?.failedSteps?.length, 1);
    assert.equal(bundle.database?.failedSteps?.[0]?.errorCode, 'channel_not_found');
    assert.deepEqual(bundle.database?.requestsOfLastDay, [
      { outcome: 'failed', errorCode: 'slack_unreachable', count: 1 },
    ]);
  },
);

describe('the support bundle of a broken Foyer', () => {
  it('the support bundle says that the database is down, but does not reveal its password', async (t) => {
    const { run, variables } = await createOperatorHarness(t);
    const environment = {
      ...variables,
      DATABASE_URL: 'postgres://foyer:dead%2Fserver@127.0.0.1:1/foyer',
      TOKEN_ENCRYPTION_KEYS: `${key.id}:${key.base64}`,
    };
    const { exitCode, stdout } = await runBundle(run, environment, ['-', '--offline']);
    assert.equal(exitCode, 0);
    const bundle = parse(stdout);
    assert.equal(bundle.database, null);
    assert.match(
      reasons(bundle).database ?? '',
      /foyer@127\.0\.0\.1:1\/foyer cannot be used: .*ECONNREFUSED/,
    );
    assert.equal(bundle.configuration.inUse?.database, 'postgres');
    assert.ok(bundle.doctor?.some(({ check, status }) => check === 'database' && status === 'fault'));
    assert.doesNotMatch(stdout, /dead(?:%2F|\/)server/i);
  });

  it('the support bundle says that the database file is damaged', async (t) => {
    const { run, folder, variables } = await createOperatorHarness(t);
    const file = join(folder, 'damaged.db');
    writeFileSync(file, randomBytes(8192));
    const environment = { ...variables, DATABASE_URL: `file:${file}` };
    const bundle = parse((await runBundle(run, environment, ['-', '--offline'])).stdout);
    assert.equal(bundle.database, null);
    assert.match(reasons(bundle).database ?? '', /not a database/);
  });

  it('the support bundle lists the problems of an invalid configuration, and shows none of its secrets', async (t) => {
    const { run, variables } = await createOperatorHarness(t);
    const environment = {
      ...variables,
      SLACK_SIGNING_SECRET: '"unclosed-signing-secret',
      OPERATOR_PASSWORD: 'password123',
      PUBLIC_URL: 'https://grace:pasted-password@foyer.example.com',
      LOG_LEVEL: 'pasted-by-mistake',
      PORT: '3000',
      SLACK_CLIENT_ID: '<client id>',
    };
    const { exitCode, stdout, stderr } = await runBundle(run, environment, ['--json', '--offline']);
    assert.equal(exitCode, 0, stderr);
    const bundle = parse(stdout);
    const { problems, inUse, variables: shown } = bundle.configuration;
    const wrong = problems.map(({ name }) => name);
    for (const name of ['SLACK_SIGNING_SECRET', 'OPERATOR_PASSWORD', 'PUBLIC_URL', 'LOG_LEVEL'])
      assert.ok(wrong.includes(name), name);
    assert.equal(inUse, null);
    assert.deepEqual(shown.LOG_LEVEL, { set: true });
    assert.deepEqual(shown.PORT, { set: true, value: '3000' });
    assert.deepEqual(shown.METRICS_TOKEN, { set: false });
    // The bundle still contains everything that does not depend on the wrong variables.
    assert.deepEqual(bundle.database?.migrations.foyer, migrationNames);
    assert.equal(bundle.database?.installations, null);
    assert.equal(reasons(bundle).installations, 'SLACK_CLIENT_ID cannot be used.');
    for (const secret of ['unclosed-signing', 'password123', 'pasted-', 'grace'])
      assert.equal(stdout.includes(secret), false, secret);
  });

  it('the support bundle hides the secrets of an invalid configuration, even a secret that a failed step used as its error code', async (t) => {
    const { run, database, variables } = await createOperatorHarness(t);
    const refused = {
      OPERATOR_PASSWORD: 'password123',
      SLACK_SIGNING_SECRET: '"unclosed-secret',
      PORT: 'none',
    };
    const environment = { ...variables, ...refused, PGPASSWORD: 'password-of-the-server' };
    const codes = ['password123', 'unclosed-secret', 'password-of-the-server', 'channel_not_found'];
    await storeInstallation(database, { id: 'ins_1' });
    await storeRun(
      database,
      'ins_1',
      codes.map((code) => ({ name: `step-${code.length}`, status: 'failed' as const, errors: [code] })),
    );
    const { stdout } = await runBundle(run, environment, ['--json', '--offline']);
    assert.deepEqual(
      parse(stdout).database?.failedSteps?.map(({ errorCode }) => errorCode),
      ['[secret]', '[secret]', '[secret]', 'channel_not_found'],
    );
  });

  it('`support-bundle` works even if .env and the manifest cannot be read', async (t) => {
    const { run } = await createOperatorHarness(t);
    const unreadable = (): never => {
      throw new Error('EACCES: permission denied');
    };
    const options = { readEnvironment: unreadable, readManifest: unreadable, readConfig: unreadable };
    const { exitCode, stdout } = await run(['support-bundle', '--json', '--offline'], options);
    assert.equal(exitCode, 0);
    const bundle = parse(stdout);
    assert.equal(bundle.versions.foyer, foyerVersion);
    assert.match(reasons(bundle).variables ?? '', /EACCES/);
    assert.equal(bundle.doctor, null);
  });
});

it('`support-bundle` never overwrites a file, and says what to do if it cannot write', async (t) => {
  const { run, folder, variables } = await createOperatorHarness(t);
  const file = join(folder, 'bundle.json');
  writeFileSync(file, 'kept');
  const again = await runBundle(run, variables, [file, '--offline']);
  assert.equal(again.exitCode, 1);
  assert.match(again.stderr, /already exists.*Use another name/);
  assert.equal(readFileSync(file, 'utf8'), 'kept');
  const nowhere = await runBundle(run, variables, [join(folder, 'none', 'bundle.json'), '--offline']);
  assert.equal(nowhere.exitCode, 1);
  assert.match(nowhere.stderr, /There is no folder .*none\. Create it first/);
});
