import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Moment } from '../../src/database/records.ts';
import { createRun } from '../../src/database/runs.ts';
import {
  createOperatorHarness,
  installedAt,
  storeInstallation,
  storeRun,
  storeUser,
  testOnBothEngines,
} from './operator-harness.ts';

testOnBothEngines(
  '`show --json` prints what `list --json` prints, plus the runs of both pipelines, the users and the history',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    await storeRun(database, 'ins_1', [{ name: 'register-team', status: 'succeeded' }]);
    await storeUser(database, {
      installationId: 'ins_1',
      userId: 'U1',
      realName: 'Ada',
      sealedToken: 'sealed',
    });
    const [listed] = JSON.parse((await run(['list', '--json'])).stdout);
    const cleanup = { ...listed.run, pipeline: 'uninstall', id: 'run_cleanup' };
    const { life, user_id, created_at } = await database.queries
      .selectFrom('runs')
      .select(['life', 'user_id', 'created_at'])
      .executeTakeFirstOrThrow();
    const row = { id: cleanup.id, pipeline: 'uninstall', installation_id: 'ins_1', life, user_id } as const;
    await database.queries
      .insertInto('runs')
      .values({ ...row, status: 'succeeded', created_at: created_at + 1 })
      .execute();
    const { exitCode, stdout } = await run(['show', 'T1', '--json']);
    assert.equal(exitCode, 0);
    const at = '2026-11-22T01:47:03.000Z';
    assert.deepEqual(JSON.parse(stdout), {
      ...listed,
      runs: [{ ...cleanup, steps: [] }, listed.run],
      users: [
        {
          userId: 'U1',
          teamId: 'T1',
          name: 'ada',
          realName: 'Ada',
          email: 'ada@acme.example',
          timezone: 'Europe/Vienna',
          avatarUrl: 'https://avatars.example/1.png',
          hasUserToken: true,
          firstSeenAt: at,
        },
      ],
      history: [{ at, kind: 'installed', userId: 'U1', detail: 'first install' }],
    });
  },
);

testOnBothEngines(
  '`show` lists upgraded, opened and workspaceGranted runs next to the install run',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    const installRun = await storeRun(database, 'ins_1', [{ name: 'register-team', status: 'succeeded' }]);
    const moments: Moment[] = [
      { kind: 'upgraded', addedScopes: ['calls:read', 'calls:write'] },
      { kind: 'opened', userId: 'U2', tab: 'messages', channelId: 'D2' },
      { kind: 'workspaceGranted', teamId: 'T7' },
    ];
    for (const [index, moment] of moments.entries()) {
      const userId = moment.kind === 'opened' ? moment.userId : 'U1';
      const of = { installationId: 'ins_1', life: 1, userId, stepNames: ['greet'], now: index };
      await database.write((tx) => createRun(tx, { ...of, pipeline: moment.kind, moment }));
    }
    const shown = JSON.parse((await run(['show', 'T1', '--json'])).stdout);
    assert.equal(shown.run.id, installRun);
    assert.deepEqual(
      shown.runs.map(({ moment }: { moment?: Moment }) => moment ?? null),
      [...moments.toReversed(), null],
    );
    const { stdout } = await run(['show', 'T1']);
    assert.ok(stdout.includes(`Run ${installRun}`));
    for (const words of [
      'Moments (3)',
      'upgraded calls:read, calls:write',
      'opened messages',
      'workspaceGranted T7',
    ])
      assert.ok(stdout.includes(words), words);
  },
);

testOnBothEngines('`show` counts all workspaceGranted runs, and prints the newest 20', async (t, engine) => {
  const { database, run } = await createOperatorHarness(t, {}, engine);
  await storeInstallation(database, { id: 'ins_1' });
  await storeRun(database, 'ins_1', [{ name: 'register-team', status: 'succeeded' }]);
  for (let index = 0; index < 50; index += 1) {
    const moment: Moment = { kind: 'workspaceGranted', teamId: `T${100 + index}` };
    const of = { installationId: 'ins_1', life: 1, userId: 'U1', stepNames: ['greet'], now: index };
    await database.write((tx) => createRun(tx, { ...of, pipeline: moment.kind, moment }));
  }
  const { stdout } = await run(['show', 'T1']);
  assert.match(stdout, /^Moments \(50\)$/m);
  assert.deepEqual(
    stdout.match(/workspaceGranted T\d+/g),
    Array.from({ length: 20 }, (_, index) => `workspaceGranted T${149 - index}`),
  );
  assert.match(stdout, /^ {2}and 30 more: --json shows the newest 1000 runs$/m);
});

test('`show` does not suggest to retry an install run after the app was uninstalled, since `retry` refuses it', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1', status: 'uninstalled', uninstalled_at: installedAt });
  const runId = await storeRun(database, 'ins_1', [
    { name: 'send-welcome', status: 'failed', errors: ['missing_scope'] },
  ]);
  assert.equal((await run(['retry', runId])).exitCode, 1);
  const { stdout } = await run(['show', 'T1']);
  assert.ok(stdout.includes(`Run ${runId}  failed`), stdout);
  assert.doesNotMatch(stdout, /try again/);
});

test('`show` prints who installed the app and when, the scopes, each attempt with its error, and how to try again', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1' });
  const runId = await storeRun(database, 'ins_1', [
    { name: 'register-team', status: 'succeeded' },
    { name: 'send-welcome', status: 'failed', errors: ['timeout', 'missing_scope'] },
  ]);
  await storeUser(database, { installationId: 'ins_1', userId: 'U1', realName: 'Ada Lovelace' });
  const { stdout } = await run(['show', 'T1']);
  assert.equal(
    stdout,
    `Acme (T1)  active
  installed   2026-11-22 01:47:03Z
  by          Ada Lovelace (U1)
  app         A1
  bot user    UBOT
  bot scopes  chat:write, im:write

Run ${runId}  failed
  for        U1
  created    2026-11-22 01:47:03Z
  finished   2026-11-22 01:47:08Z
  try again  npm run foyer -- retry ${runId}

  STEP           STATUS     ATTEMPTS  FINISHED  ERROR
  register-team  succeeded  1         -         -
  send-welcome   failed     2         -         missing_scope: Slack answered missing_scope

Attempts (2)
  STEP          TRY  STARTED               TOOK    OUTCOME  ERROR
  send-welcome  1    2026-11-22 01:47:03Z  340 ms  retry    timeout: Slack answered timeout
  send-welcome  2    2026-11-22 01:47:04Z  340 ms  failed   missing_scope: Slack answered missing_scope

Users (1)
  USER  NAME          EMAIL             TIME ZONE      ROLE   OWN TOKEN  SINCE
  U1    Ada Lovelace  ada@acme.example  Europe/Vienna  admin  no         2026-11-22 01:47:03Z

History (1)
  WHEN                  WHAT       USER  DETAIL
  2026-11-22 01:47:03Z  installed  U1    first install
`,
  );
});

test('`show` finds an org-wide install by its enterprise id, even if a team of that enterprise has an install too', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, {
    id: 'ins_1',
    team_id: null,
    enterprise_id: 'E1',
    enterprise_name: 'Globe',
  });
  await storeInstallation(database, { id: 'ins_2', team_id: 'T1', enterprise_id: 'E1' });
  assert.equal(JSON.parse((await run(['show', 'E1', '--json'])).stdout).isEnterpriseInstall, true);
  assert.equal(JSON.parse((await run(['show', 'T1', '--json'])).stdout).isEnterpriseInstall, false);
  assert.match((await run(['show', 'E1'])).stdout, /^Globe \(E1\) {2}active\n[\s\S]*the whole organization/);
});

test('`show` exits with code 1 for an unknown team, and suggests the command `list`', async (t) => {
  const { run } = await createOperatorHarness(t);
  const { exitCode, stdout, stderr } = await run(['show', 'T9\u001b[2J', '--json']);
  assert.equal(exitCode, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /There is no installation of T9�\[2J\. `npm run foyer -- list`/);
});

testOnBothEngines(
  '`show` finds a team by its name, or by a part of its name that no other team has',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1', team_id: 'T1', team_name: 'Acme' });
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', team_name: 'Acme Labs 100%' });
    await storeInstallation(database, {
      ...{ id: 'ins_3', team_id: null, enterprise_id: 'E1', enterprise_name: 'Globe' },
    });
    await storeInstallation(database, {
      id: 'ins_4',
      client_id: '9.9',
      team_id: 'T4',
      team_name: 'Other app',
    });
    const shown = async (name: string) => JSON.parse((await run(['show', name, '--json'])).stdout);
    assert.equal((await shown('acme')).teamId, 'T1', 'a whole name wins');
    assert.equal((await shown('labs 100%')).teamId, 'T2');
    assert.equal((await shown('glo')).enterpriseId, 'E1');
    const several = await run(['show', 'acm']);
    assert.equal(several.exitCode, 1);
    assert.match(
      several.stderr,
      /2 installations match "acm": T2 \(Acme Labs 100%\), T1 \(Acme\)\. Give the id/,
    );
    assert.equal((await shown('%')).teamId, 'T2', 'a percent sign is no wildcard');
    for (const unknown of ['Other app', 'T4', 'nothing like it']) {
      const { exitCode, stderr } = await run(['show', unknown]);
      assert.equal(exitCode, 1);
      assert.match(stderr, /There is no installation of/);
    }
  },
);

testOnBothEngines(
  '`show` prefers the team whose whole name matches, even if the names of many newer teams contain that name',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    const store = (number: number, team_name: string) =>
      storeInstallation(database, {
        id: `ins_${number}`,
        team_id: `T${number}`,
        team_name,
        installed_at: number,
      });
    await store(1, 'Äcme');
    for (let number = 2; number < 14; number += 1) await store(number, `Äcme ${number}`);
    const shown = await run(['show', 'äcme', '--json']);
    assert.equal(shown.exitCode, 0, shown.stderr);
    assert.equal(JSON.parse(shown.stdout).teamId, 'T1');
    assert.match((await run(['show', 'cme'])).stderr, /Many installations match/);

    await store(20, 'ÄCME');
    assert.match(
      (await run(['show', 'Äcme'])).stderr,
      /2 installations match "Äcme": T20 \(ÄCME\), T1 \(Äcme\)\./,
    );
  },
);

test('`purge` does not accept the name of a team, since another team might have the same name', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1', team_id: 'T1', team_name: 'Acme' });
  assert.equal((await run(['purge', 'Acme', '--yes'])).exitCode, 1);
  assert.equal((await database.queries.selectFrom('installations').select('id').execute()).length, 1);
});
