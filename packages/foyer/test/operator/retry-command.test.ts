import assert from 'node:assert/strict';
import { createOperatorHarness, storeInstallation, storeRun, testOnBothEngines } from './operator-harness.ts';

testOnBothEngines('retry queues a failed run, and leaves one that is under way alone', async (t, engine) => {
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
  assert.match(going.stdout, /being worked on already/);
});

testOnBothEngines(
  'retry exits with 1 and the reason if the run has no failure, its team has left, or it does not exist',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    const runId = await storeRun(database, 'ins_1', [{ name: 'send-welcome', status: 'succeeded' }]);
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', status: 'uninstalled' });
    const left = await storeRun(database, 'ins_2', [{ name: 'send-welcome', status: 'failed' }]);
    await storeInstallation(database, { id: 'ins_3', team_id: 'T3', client_id: 'another' });
    const foreign = await storeRun(database, 'ins_3', [{ name: 'send-welcome', status: 'failed' }]);
    for (const [id, reason] of [
      [runId, /every step of it succeeded/],
      [left, /was uninstalled since/],
      [foreign, /there is no such run/],
      ['run_9', /there is no such run/],
    ] as const) {
      const { exitCode, stdout, stderr } = await run(['retry', id, '--json']);
      assert.deepEqual([exitCode, stdout], [1, '']);
      assert.match(stderr, reason);
    }
  },
);
