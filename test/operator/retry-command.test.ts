import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOperatorHarness, installedAt, storeInstallation, storeRun } from './operator-harness.ts';

test('retry queues the run and says how to follow it', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1' });
  const runId = await storeRun(database, 'ins_1', [
    { name: 'send-welcome', status: 'failed', errors: ['timeout'] },
  ]);
  const asked: [string, number][] = [];
  const retryRun = async (_database: unknown, id: string, now: number) => {
    asked.push([id, now]);
    return true;
  };
  const { exitCode, stdout } = await run(['retry', runId, '--json'], { retryRun });
  assert.equal(exitCode, 0);
  assert.deepEqual(JSON.parse(stdout), { runId, status: 'queued' });
  assert.deepEqual(asked, [[runId, installedAt]]);
  assert.match((await run(['retry', runId], { retryRun })).stdout, /is queued again/);
});

test('a run in which nothing failed, and one that is unknown, end with 1 and the reason', async (t) => {
  const { database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1' });
  const runId = await storeRun(database, 'ins_1', [{ name: 'send-welcome', status: 'succeeded' }]);
  const done = await run(['retry', runId, '--json'], { retryRun: async () => false });
  assert.deepEqual([done.exitCode, done.stdout], [1, '']);
  assert.match(done.stderr, /is succeeded: there is nothing in it to try again/);
  const unknown = await run(['retry', 'run_9', '--json']);
  assert.deepEqual([unknown.exitCode, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /There is no run run_9/);
});
