import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import {
  createOperatorHarness,
  installedAt,
  storeInstallation,
  storeRun,
  testOnBothEngines,
} from './operator-harness.ts';

testOnBothEngines('`retry` queues a failed run, and leaves a run in progress alone', async (t, engine) => {
  const { database, run } = await createOperatorHarness(t, {}, engine);
  await storeInstallation(database, { id: 'ins_1' });
  const runId = await storeRun(database, 'ins_1', [
    { name: 'send-welcome', status: 'failed', errors: ['timeout'] },
  ]);
  const queued = await run(['retry', runId, '--json']);
  assert.equal(queued.exitCode, 0, queued.stderr);
  assert.deepEqual(JSON.parse(queued.stdout), { runId, outcome: 'queued' });
  const row = await database.queries.selectFrom('runs').select('status').executeTakeFirstOrThrow();
  assert.equal(row.status, 'queued');
  const going = await run(['retry', runId]);
  assert.equal(going.exitCode, 0);
  assert.match(going.stdout, /already in progress/);
});

testOnBothEngines(
  '`retry` exits with code 1 and says why if the run has no failure, the app was uninstalled, or the run does not exist',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    const runId = await storeRun(database, 'ins_1', [{ name: 'send-welcome', status: 'succeeded' }]);
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', status: 'uninstalled' });
    const left = await storeRun(database, 'ins_2', [{ name: 'send-welcome', status: 'failed' }]);
    await storeInstallation(database, { id: 'ins_3', team_id: 'T3', client_id: 'another' });
    const foreign = await storeRun(database, 'ins_3', [{ name: 'send-welcome', status: 'failed' }]);
    for (const [id, reason] of [
      [runId, /each of its steps has succeeded/],
      [left, /has since been uninstalled/],
      [foreign, /there is no such run/],
      ['run_9', /there is no such run/],
    ] as const) {
      const { exitCode, stdout, stderr } = await run(['retry', id, '--json']);
      assert.deepEqual([exitCode, stdout], [1, '']);
      assert.match(stderr, reason);
    }
  },
);

/**
 * Stores five failed runs of this app and one of another. Only the newest run of T1 and the run of T2 can be retried.
 */
async function storeFailedRuns(database: Database) {
  const failed = (step: string, error: string) => [
    { name: step, status: 'failed' as const, errors: [error] },
  ];
  await storeInstallation(database, { id: 'ins_1' });
  const older = await storeRun(database, 'ins_1', failed('send-welcome', 'not_found'));
  const first = await storeRun(database, 'ins_1', failed('send-welcome', 'timeout'));
  await storeInstallation(database, { id: 'ins_2', team_id: 'T2' });
  const second = await storeRun(database, 'ins_2', failed('publish-home', 'internal_error'));
  await storeInstallation(database, { id: 'ins_3', team_id: 'T3', status: 'broken' });
  const dead = await storeRun(database, 'ins_3', failed('send-welcome', 'token_revoked'));
  await storeInstallation(database, { id: 'ins_4', team_id: 'T4', status: 'uninstalled' });
  await storeRun(database, 'ins_4', failed('send-welcome', 'timeout'));
  await storeInstallation(database, { id: 'ins_5', team_id: 'T5', client_id: 'another' });
  await storeRun(database, 'ins_5', failed('send-welcome', 'timeout'));
  return { older, first, second, dead };
}

async function statusOf(database: Database, runId: string): Promise<string> {
  const query = database.queries.selectFrom('runs').select('status').where('id', '=', runId);
  return (await query.executeTakeFirstOrThrow()).status;
}

testOnBothEngines(
  '`retry --failed` queues each installation’s newest failed run, but skips installations with a dead token or of another app',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    const { older, first, second, dead } = await storeFailedRuns(database);

    const dry = await run(['retry', '--failed', '--dry-run', '--json']);
    assert.equal(dry.exitCode, 0, dry.stderr);
    assert.deepEqual(
      new Set(JSON.parse(dry.stdout).map((one: { runId: string }) => one.runId)),
      new Set([first, second, dead]),
    );
    assert.match(dry.stderr, /2 of 3 runs would be retried\. Nothing was changed\./);
    assert.equal(await statusOf(database, first), 'failed');

    const { exitCode, stdout, stderr } = await run(['retry', '--failed']);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, new RegExp(`^T2 +${second} +publish-home: internal_error +queued$`, 'm'));
    assert.match(stdout, new RegExp(`^T3 +${dead} +send-welcome: token_revoked +token-dead$`, 'm'));
    assert.match(stderr, /Queued 2 of 3 runs again\.[\s\S]*Skipped 1 run, because the token/);
    assert.deepEqual(
      [await statusOf(database, first), await statusOf(database, second), await statusOf(database, dead)],
      ['queued', 'queued', 'failed'],
    );
    assert.equal(await statusOf(database, older), 'failed', 'a newer run has replaced it');
  },
);

testOnBothEngines('`retry --failed` queues only runs that match --step and --since', async (t, engine) => {
  const { database, run } = await createOperatorHarness(t, {}, engine);
  const { first, second } = await storeFailedRuns(database);
  const later = { finished_at: installedAt + 3_600_000 };
  await database.queries.updateTable('runs').set(later).where('id', '=', second).execute();
  const found = async (...options: string[]) => {
    const { stdout } = await run(['retry', '--failed', '--dry-run', '--json', ...options]);
    return JSON.parse(stdout).map((one: { teamId: string }) => one.teamId);
  };
  assert.deepEqual(await found('--step', 'publish-home'), ['T2']);
  assert.deepEqual(await found('--since', '2026-11-22T02:30Z'), ['T2']);
  assert.deepEqual(await found('--since', '2026-11-23'), []);
  assert.equal((await run(['retry', '--failed', '--step', 'publish-home'])).exitCode, 0);
  assert.deepEqual([await statusOf(database, first), await statusOf(database, second)], ['failed', 'queued']);
  assert.match((await run(['retry', '--failed', '--step', 'publish-home'])).stderr, /No failed run matches/);
});

testOnBothEngines(
  '`retry --failed --step` queues a run whose notify-operators step failed, even though the run succeeded',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    const runId = await storeRun(database, 'ins_1', [{ name: 'notify-operators', status: 'failed' }]);
    await database.queries.updateTable('runs').set({ status: 'succeeded' }).execute();
    const { stderr } = await run(['retry', '--failed']);
    assert.match(stderr, /No failed run matches\. .* add --step notify-operators\.$/m);
    assert.equal((await run(['retry', '--failed', '--step', 'notify-operators'])).exitCode, 0);
    assert.equal(await statusOf(database, runId), 'queued');
  },
);

testOnBothEngines(
  '`retry --failed` queues a failed uninstall run only if the app has not been installed again since',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1', status: 'uninstalled' });
    const gone = await storeRun(database, 'ins_1', [{ name: 'close-account', status: 'failed' }]);
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', life: 2 });
    const replaced = await storeRun(database, 'ins_2', [{ name: 'close-account', status: 'failed' }]);
    await storeInstallation(database, { id: 'ins_3', team_id: 'T3', life: 2, status: 'uninstalled' });
    const ofFirstLife = await storeRun(database, 'ins_3', [{ name: 'close-account', status: 'failed' }]);
    await database.queries.updateTable('runs').set({ pipeline: 'uninstall' }).execute();
    assert.equal((await run(['retry', '--failed'])).exitCode, 0);
    assert.deepEqual(await Promise.all([gone, replaced, ofFirstLife].map((id) => statusOf(database, id))), [
      'queued',
      'failed',
      'failed',
    ]);
  },
);

testOnBothEngines(
  '`retry --failed` queues a failed run of the `opened` list only if the app has not been uninstalled since',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    const runs = [await storeRun(database, 'ins_1', [{ name: 'greet', status: 'failed' }])];
    runs.push(await storeRun(database, 'ins_1', [{ name: 'greet', status: 'failed' }]));
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', status: 'uninstalled' });
    runs.push(await storeRun(database, 'ins_2', [{ name: 'greet', status: 'failed' }]));
    await storeInstallation(database, { id: 'ins_3', team_id: 'T3', life: 2 });
    runs.push(await storeRun(database, 'ins_3', [{ name: 'greet', status: 'failed' }]));
    await database.queries.updateTable('runs').set({ pipeline: 'opened' }).execute();
    assert.deepEqual(JSON.parse((await run(['list', '--failed', '--json'])).stdout), []);
    assert.equal((await run(['retry', '--failed'])).exitCode, 0);
    const states = await Promise.all(runs.map((id) => statusOf(database, id)));
    assert.deepEqual(states, ['queued', 'queued', 'failed', 'failed']);
  },
);

testOnBothEngines(
  '`retry --failed` leaves out the runs of people who were erased, and `retry` says why it does not repeat one',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    const erased = await storeRun(database, 'ins_1', [{ name: 'greet', status: 'failed' }]);
    const change = database.queries.updateTable('runs').where('id', '=', erased);
    await change.set({ pipeline: 'opened', user_id: 'erased' }).execute();
    assert.match((await run(['retry', '--failed'])).stderr, /No failed run matches/);
    const { exitCode, stderr } = await run(['retry', erased]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /the person whose run it was has been erased/);
    await change.set({ pipeline: 'uninstall' }).execute();
    await database.queries.updateTable('installations').set({ status: 'uninstalled' }).execute();
    assert.match((await run(['retry', '--failed'])).stderr, /Queued 1 of 1/);
  },
);

test('`retry --failed` queues each failed run once, even if it has to read the runs in several pages', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  for (let index = 0; index < 205; index += 1) {
    await storeInstallation(database, { id: `ins_${index}`, team_id: `T${index}` });
    await storeRun(database, `ins_${index}`, [{ name: 'send-welcome', status: 'failed' }]);
  }
  const { stdout, stderr } = await run(['retry', '--failed', '--json']);
  const runs: { runId: string; outcome: string }[] = JSON.parse(stdout);
  assert.equal(new Set(runs.map(({ runId }) => runId)).size, 205);
  assert.ok(runs.every(({ outcome }) => outcome === 'queued'));
  assert.match(stderr, /Queued 205 of 205 runs again/);
});

test('`retry` refuses a run id with --failed, refuses --step and --dry-run without --failed, and refuses an invalid time after --since', async (t) => {
  const { run } = await createOperatorHarness(t);
  for (const wrong of [
    ['run_1', '--failed'],
    ['run_1', '--step', 'send-welcome'],
    ['--dry-run'],
    ['--failed', '--since', '2026-11-22T25:00Z'],
    ['--failed', '--since', 'yesterday'],
  ]) {
    const { exitCode, stdout, stderr } = await run(['retry', ...wrong]);
    assert.deepEqual([exitCode, stdout], [2, ''], wrong.join(' '));
    assert.notEqual(stderr, '');
  }
});
