import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { freePort } from '../../src/testing/free-port.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { isServing, spawnFoyer } from './support/foyer-process.ts';
import { isFullRun } from './support/full-run.ts';
import { type ProcessStage, setProcessStage } from './support/process-stage.ts';

/** These tests stop Foyer with SIGTERM under load, and run two Foyer processes on one database. */

/** How long a test waits for a run to end: longer than a lease of thirty seconds plus the delays of a busy machine. */
const patienceMs = 90_000;

const placesOf = ({ sandbox }: ProcessStage) =>
  ['Acme', 'Globex', 'Initech Product', 'Initech Sales'].map((name) => ({
    teamId: sandbox.workspace(name).id,
    userId: sandbox.person(name).id,
  }));

const unfinished = (stage: ProcessStage) => stage.rows('select id from runs where finished_at is null');

async function assertAllWhole(stage: ProcessStage): Promise<void> {
  await eventually(async () => (await unfinished(stage)).length === 0, patienceMs);
  const runs = await stage.rows<{ status: string }>('select status from runs');
  assert.deepEqual(new Set(runs.map((run) => run.status)), new Set(['succeeded']));
  for (const place of placesOf(stage)) assert.equal(stage.sandbox.messages(place).length, 1);
  const twice = await stage.rows(
    "select run_id, step_name from step_attempts where outcome = 'succeeded' group by 1, 2 having count(*) > 1",
  );
  assert.deepEqual(twice, []);
}

const engines: readonly EngineName[] = isFullRun ? ['SQLite', 'Postgres'] : ['SQLite'];

for (const engine of engines)
  describe(`Foyer loses no run when it stops or starts, on ${engine}`, { concurrency: 2 }, () =>
    stoppingAndStarting(engine),
  );

function stoppingAndStarting(engine: EngineName): void {
  const loads = [
    ['runs in progress', '*', 120],
    ['calls to Slack that hang and an idle connection', 'chat.postMessage', 30_000],
  ] as const;
  for (const [name, method, delayMs] of isFullRun ? loads : loads.slice(0, 1)) {
    it(`Foyer exits with code 0 within ten seconds of SIGTERM, even with ${name}, and loses no run`, async (t) => {
      const stage = await setProcessStage({ engine });
      t.after(() => stage.close());
      const { sandbox } = stage;
      if (method === '*') sandbox.faults.setLatency(method, delayMs);
      else sandbox.faults.add({ method, times: 4, failure: { type: 'hang', delayMs, acts: true } });
      if (method !== '*') {
        const { hostname, port } = new URL(stage.url);
        const idle = connect(Number(port), hostname).on('error', () => {});
        t.after(() => idle.destroy());
      }
      const installs = placesOf(stage).map((place) =>
        install(createVisitor(), stage.url, sandbox, place).then((answer) => answer.status),
      );
      // Waits until every callback is in progress, since Foyer accepts no new request after the signal.
      await eventually(async () => sandbox.calls('oauth.v2.access').length === 4);
      if (method === '*') await eventually(async () => sandbox.calls('users.info').length > 0);
      else await eventually(async () => sandbox.calls('chat.postMessage').length === 4);
      const startedAt = performance.now();
      stage.foyer().child.kill('SIGTERM');
      assert.deepEqual(await stage.foyer().ended, { code: 0, signal: null });
      const stoppedWithinMs = Math.round(performance.now() - startedAt);
      assert.ok(stoppedWithinMs < 10_000, `${stoppedWithinMs} ms`);
      for (const status of await Promise.allSettled(installs))
        assert.deepEqual(status, { status: 'fulfilled', value: 303 }, 'a request under way is answered');
      await assert.rejects(fetch(`${stage.url}/healthz`), 'the port is closed');
      assert.match(stage.foyer().output(), /"msg":"stopped"/);
      const left = (await unfinished(stage)).length;
      assert.ok(left > 0, 'nothing was under way');
      assert.deepEqual(
        await stage.rows("select id from runs where status = 'running'"),
        [],
        'runs are handed back',
      );
      sandbox.faults.clear();
      await stage.start();
      await assertAllWhole(stage);
      t.diagnostic(`stopped within ${stoppedWithinMs} ms with ${left} runs under way`);
    });
  }

  it('two Foyer processes on one database run each step once', async (t) => {
    const stage = await setProcessStage({ engine });
    const port = await freePort();
    const beside = spawnFoyer({
      environment: { ...stage.environment, PORT: String(port) },
      folder: stage.folder,
    });
    t.after(async () => {
      beside.kill();
      await beside.ended;
      await stage.close();
    });
    assert.equal(await isServing(beside), true);
    // Each call to Slack takes long enough that the other process looks for work in the middle of a run.
    stage.sandbox.faults.setLatency('*', 250);
    const people = ['owner', 'admin'] as const;
    for (const who of people) {
      const places = placesOf(stage).map(({ teamId }) => ({
        teamId,
        userId: stage.sandbox.person(teamId, who).id,
      }));
      await Promise.all(
        places.map(async (place) => {
          const visitor = createVisitor();
          const done = await install(visitor, stage.url, stage.sandbox, place);
          // The other process shows the progress of the same install.
          const elsewhere = `http://127.0.0.1:${port}${done.headers.get('location')}`;
          assert.equal((await finishedRun(visitor, elsewhere, patienceMs)).status, 'succeeded');
          assert.equal(stage.sandbox.messages(place).length, 1);
        }),
      );
    }
    const attempts = await stage.rows<{ attempt: number }>(
      'select attempt from step_attempts where attempt > 1',
    );
    assert.deepEqual(attempts, []);
    assert.equal(stage.sandbox.calls('users.info').length, 8);
    if (!isFullRun) return;
    // When one process is killed, the other takes over its run once the lease has expired.
    const [acme] = placesOf(stage);
    assert.ok(acme);
    await stage.sandbox.uninstall({ teamId: acme.teamId });
    await stage.sandbox.settled();
    stage.sandbox.faults.setLatency('*', 0);
    const done = await install(createVisitor(), stage.url, stage.sandbox, acme);
    stage.foyer().kill();
    await stage.foyer().ended;
    const elsewhere = `http://127.0.0.1:${port}${done.headers.get('location')}`;
    assert.equal((await finishedRun(createVisitor(), elsewhere, patienceMs)).status, 'succeeded');
    assert.equal(stage.sandbox.messages(acme).length, 2, 'one for each life');
  });
}
