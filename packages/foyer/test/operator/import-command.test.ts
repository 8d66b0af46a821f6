import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FileInstallationStore } from '@slack/oauth';
import { createLogger } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { takeOver } from '../../src/operator/import/take-over.ts';
import { keyringOf, orgInstall, teamInstall } from '../support/installations.ts';
import type { EngineName } from '../support/stage-database.ts';
import { createOperatorHarness, testOnBothEngines } from './operator-harness.ts';

const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });

async function prepare(t: TestContext, engine?: EngineName) {
  const harness = await createOperatorHarness(t, {}, engine);
  const keyring = keyringOf('main');
  const open = (_config: unknown, database: Database) =>
    createInstallationStore({
      ...{ database, keyring, clientId: '1.2', stepNames: ['send-welcome'], now: Date.now, log },
    });
  const asked: string[] = [];
  const dead: string[] = [];
  const client = (token: string) => ({
    auth: {
      async test() {
        asked.push(token);
        if (!dead.includes(token)) return { ok: true, team_id: token.split('-')[1] };
        throw Object.assign(new Error('dead'), {
          code: 'slack_webapi_platform_error',
          data: { ok: false, error: 'invalid_auth' },
        });
      },
    },
  });
  return {
    ...harness,
    store: open(undefined, harness.database),
    asked,
    dead,
    source: join(harness.folder, 'source'),
    importFrom: (source: string, ...options: string[]) =>
      harness.run(['import', '--from', source, ...options], {
        now: Date.now,
        loadKeyring: () => keyring,
        openImporter: open,
        slackClients: async () => client as never,
      }),
    count: async (table: 'installations' | 'runs' | 'user_tokens') =>
      (await harness.database.queries.selectFrom(table).selectAll().execute()).length,
  };
}

/** Fills a folder as a stock Bolt app does: two people in T1, a team of an enterprise, and an organization. */
async function fillFolder(folder: string, clientId?: string): Promise<void> {
  const stock = new FileInstallationStore({ baseDir: folder, ...(clientId && { clientId }) });
  await stock.storeInstallation(
    teamInstall({ teamId: 'T1', userId: 'U1', botToken: 'xoxb-T1', userToken: 'xoxp-T1' }),
  );
  await stock.storeInstallation(
    teamInstall({ teamId: 'T1', userId: 'U2', botToken: 'xoxb-T1', userToken: 'xoxp-T1-2' }),
  );
  await stock.storeInstallation(
    teamInstall({ teamId: 'T2', enterpriseId: 'E2', botToken: 'xoxb-T2', userToken: null }),
  );
  await stock.storeInstallation(orgInstall({ enterpriseId: 'E1', botToken: 'xoxb-E1', userToken: null }));
}

for (const clientId of [undefined, '1.2']) {
  testOnBothEngines(
    `\`import\` takes over each installation once from a FileInstallationStore ${clientId ? 'with' : 'without'} a client id, and starts no run`,
    async (t, engine) => {
      const { importFrom, source, store, count } = await prepare(t, engine);
      await fillFolder(source, clientId);
      const dry = await importFrom(source, '--dry-run');
      assert.match(
        dry.stderr,
        /Would be taken over: 3 installations, 0 additional user tokens|Would be taken over: 4/,
      );
      assert.equal(await count('installations'), 0);

      const { exitCode, stdout, stderr } = await importFrom(source);
      assert.equal(exitCode, 0, stderr);
      assert.match(
        stderr,
        /Taken over: 3 installations, 1 additional user tokens\. Already in Foyer: 0\. Refused: 0\./,
      );
      assert.doesNotMatch(stdout + stderr, /xox/);
      const one = await store.fetchInstallation({ teamId: 'T1', userId: 'U1' });
      assert.deepEqual([one.bot?.token, one.user.token], ['xoxb-T1', 'xoxp-T1']);
      assert.equal((await store.fetchInstallation({ teamId: 'T1', userId: 'U2' })).user.token, 'xoxp-T1-2');
      assert.equal((await store.fetchInstallation({ teamId: 'T2' })).bot?.token, 'xoxb-T2');
      const org = { enterpriseId: 'E1', teamId: 'T9', isEnterpriseInstall: true };
      assert.equal((await store.fetchInstallation(org)).bot?.token, 'xoxb-E1');
      assert.equal(await count('runs'), 0);

      const again = await importFrom(source, '--json');
      assert.deepEqual(
        JSON.parse(again.stdout).map(({ outcome }: { outcome: string }) => outcome),
        ['known', 'known', 'known', 'known'],
      );
    },
  );
}

testOnBothEngines('`import` overwrites no stored token, and restores no revoked token', async (t, engine) => {
  const { importFrom, source, store } = await prepare(t, engine);
  await fillFolder(source);
  await store.recordInstall(teamInstall({ teamId: 'T2', botToken: 'xoxb-newer', userToken: null }));
  await importFrom(source);
  assert.equal((await store.fetchInstallation({ teamId: 'T2' })).bot?.token, 'xoxb-newer');
  await store.revokeUserTokens({ teamId: 'T1' }, { userIds: ['U2'] });
  await store.deleteInstallation({ enterpriseId: 'E1', isEnterpriseInstall: true });
  await importFrom(source);
  assert.equal((await store.fetchInstallation({ teamId: 'T1', userId: 'U2' })).user.token, undefined);
  await assert.rejects(store.fetchInstallation({ enterpriseId: 'E1', isEnterpriseInstall: true }));
});

testOnBothEngines(
  '`import` without --run queues the workspaceGranted run of an org-wide install, but no install run',
  async (t, engine) => {
    const { database } = await prepare(t, engine);
    const keyring = keyringOf('main');
    const store = createInstallationStore({
      ...{ database, keyring, clientId: '1.2', stepNames: ['send-welcome'], now: Date.now, log },
      momentStepNames: { workspaceGranted: ['add-workspace'] },
    });
    const grant = { teamIds: ['T7'], granted: true, changedAt: Date.now() };
    await store.recordTeamAccess({ enterpriseId: 'E1', isEnterpriseInstall: true }, grant);
    const installation = orgInstall({ enterpriseId: 'E1', userToken: null });
    const options = { part: 'installation', issuedAt: undefined, withRun: false, now: Date.now() } as const;
    await takeOver(store, installation, options);
    const runs = await database.queries
      .selectFrom('runs')
      .select(['pipeline', 'status', 'waiting_for'])
      .execute();
    assert.deepEqual(runs, [{ pipeline: 'workspaceGranted', status: 'queued', waiting_for: null }]);
  },
);

testOnBothEngines('`import --run` queues the install run of each installation', async (t, engine) => {
  const { importFrom, source, count } = await prepare(t, engine);
  mkdirSync(source);
  const file = join(source, 'installations.jsonl');
  writeFileSync(file, `${JSON.stringify(teamInstall({ teamId: 'T1' }))}\n`);
  assert.equal((await importFrom(file, '--run')).exitCode, 0);
  assert.equal(await count('runs'), 1);
});

test('`import` imports only the installations of its own app, and names the other apps that it finds', async (t) => {
  const { source, importFrom, store, count } = await prepare(t);
  for (const [clientId, botToken] of [
    ['0.1', 'xoxb-first'],
    ['1.2', 'xoxb-own'],
    ['2.2', 'xoxb-other'],
  ] as const) {
    const stock = new FileInstallationStore({ baseDir: source, clientId });
    await stock.storeInstallation(teamInstall({ teamId: 'T1', botToken }));
    if (clientId === '2.2') await stock.storeInstallation(teamInstall({ teamId: 'T2', botToken }));
  }
  const { exitCode, stderr } = await importFrom(source);
  assert.equal(exitCode, 1);
  assert.match(stderr, /belongs to the app with the client id 0\.1/);
  assert.match(stderr, /belongs to the app with the client id 2\.2/);
  assert.equal(await count('installations'), 1);
  const query = { teamId: 'T1', enterpriseId: undefined, isEnterpriseInstall: false };
  assert.equal((await store.fetchInstallation(query)).bot?.token, 'xoxb-own');
});

test('`import` reports which lines it refuses and why, without printing any value of a line', async (t) => {
  const { importFrom, source, count } = await prepare(t);
  mkdirSync(source);
  const file = join(source, 'installations.jsonl');
  const good = teamInstall({ teamId: 'T1' });
  const lines = [
    JSON.stringify(good),
    '{"bot": "xoxb-secret-1',
    JSON.stringify({ ...good, team: { id: 'T3' }, bot: { ...good.bot, token: 'secret value' } }),
    JSON.stringify({ ...good, team: undefined }),
    JSON.stringify({ ...good, team: { id: 'T4' }, authVersion: 'v1' }),
    JSON.stringify({ ...good, team: { id: 'T5' }, bot: undefined, user: { id: 'U1' } }),
    `"${'x'.repeat(300_000)}"`,
    '',
  ];
  writeFileSync(file, lines.join('\n'));
  const { exitCode, stderr } = await importFrom(file);
  assert.equal(exitCode, 1);
  assert.match(stderr, /jsonl:2: refused, it is not JSON/);
  assert.match(
    stderr,
    /jsonl:3: refused, it is not an Installation of @slack\/oauth; wrong or missing: bot\.token$/m,
  );
  assert.match(stderr, /jsonl:4: refused, it names no team/);
  assert.match(stderr, /jsonl:5: refused, it comes from the old OAuth flow/);
  assert.match(stderr, /jsonl:6: refused, it holds no token/);
  assert.match(stderr, /jsonl:7: refused, it is too large/);
  assert.match(
    stderr,
    /Taken over: 1 installations, 0 additional user tokens\. Already in Foyer: 0\. Refused: 6\./,
  );
  assert.doesNotMatch(stderr, /secret/);
  assert.equal(await count('installations'), 1);
  assert.match((await importFrom(join(source, 'none'))).stderr, /none does not exist/);
  assert.equal((await importFrom('/dev/null')).stderr.trim(), '/dev/null is neither a file nor a folder.');
});

test('`import --check` asks Slack about each token, and refuses tokens that are dead or belong to another team', async (t) => {
  const { importFrom, source, asked, dead, count } = await prepare(t);
  mkdirSync(source);
  const file = join(source, 'installations.jsonl');
  const lines = [
    teamInstall({ teamId: 'T1', botToken: 'xoxb-T1' }),
    teamInstall({ teamId: 'T2', botToken: 'xoxb-T2' }),
    teamInstall({ teamId: 'T3', botToken: 'xoxb-T9' }),
  ];
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
  await importFrom(file, '--dry-run');
  assert.deepEqual(asked, []);
  dead.push('xoxb-T2');
  const { exitCode, stderr } = await importFrom(file, '--check');
  assert.equal(exitCode, 1);
  assert.match(stderr, /jsonl:2: refused, auth\.test failed: invalid_auth/);
  assert.match(stderr, /jsonl:3: refused, its token belongs to another team/);
  assert.equal(await count('installations'), 1);
});
