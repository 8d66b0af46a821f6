import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { type Database, DatabaseUnavailableError } from '../../src/database/database.ts';
import { claimDueRuns } from '../../src/database/run-leases.ts';
import { cancelRuns } from '../../src/database/runs.ts';
import type { ActingStep, Step } from '../../src/pipeline/step.ts';
import { createActiveRuns, createWorker, type Worker, type WorkerDeps } from '../../src/pipeline/worker.ts';
import { isDeadOwner, thisProcess, type WorkerIdentity } from '../../src/pipeline/worker-identity.ts';
import { ownRows } from '../support/strangers.ts';
import { type PipelineStage, setStage, signal } from './pipeline-stage.ts';

const quick: ActingStep<null> = {
  name: 'quick',
  required: false,
  timeLimitMs: 5000,
  title: { todo: 'Do it', doing: 'Doing it' },
  maxAttempts: 3,
  run: async () => null,
};

/**
 * A step that runs until the test calls `goOn.reach()`. Unless it is deaf, the step also ends when its signal aborts.
 */
function slowStep(isDeaf = false) {
  const begun = signal();
  const goOn = signal();
  let runs = 0;
  const aborted = signal();
  const step: Step<null> = {
    ...quick,
    name: 'slow',
    timeLimitMs: 60_000,
    async run(context) {
      runs += 1;
      begun.reach();
      const heard = Promise.withResolvers<never>();
      context.signal.addEventListener('abort', () => {
        aborted.reach();
        if (!isDeaf) heard.reject(context.signal.reason);
      });
      await Promise.race([goOn.reached, heard.promise]);
      return null;
    },
  };
  return { step, begun, goOn, runs: () => runs, aborted: aborted.reached };
}

describe('a worker that loses its run to another worker', () => {
  it('a worker that lost its lease on a run does not put the run back in the queue, even after an internal error', async (t) => {
    const thief = 'thief:1:x/1';
    let stage: PipelineStage | undefined;
    let isBroken = false;
    const step: Step<null> = {
      ...quick,
      async run() {
        const runs = stage?.database.queries.updateTable('runs').where('lease_owner', 'like', 'a:1:x/%');
        await runs?.set({ lease_owner: thief }).execute();
        isBroken = true;
        return null;
      },
    };
    stage = await setStage(t, { steps: [step] });
    const { runId } = await stage.install();
    const { database } = stage;
    const broken: Database = {
      ...database,
      async write(work, patienceMs) {
        if (!isBroken) return database.write(work, patienceMs);
        isBroken = false;
        throw new Error('a bug');
      },
    };
    const options = { leaseMs: 30_000, draining: () => false, onEnded() {} };
    const active = createActiveRuns({ ...stage.deps, database: broken }, options);
    const { clientId } = stage.config.slack;
    const claim = {
      clientId,
      limit: 1,
      now: stage.now(),
      leaseUntil: stage.now() + 30_000,
      owner: 'a:1:x/1',
    };
    const [lease] = await claimDueRuns(database, claim);
    assert.ok(lease);
    active.work(lease, claim.leaseUntil);
    await active.ended();
    const [row] = (await ownRows(database, 'runs')).filter(({ id }) => id === runId);
    assert.deepEqual([row?.status, row?.lease_owner], ['running', thief]);
    assert.match(stage.logged(), /a run was interrupted by an error/);
  });
});

/** A worker that polls once a minute. So during a test, it looks for more runs only after a wake-up. */
function workerOn(t: TestContext, stage: PipelineStage, changes: Partial<WorkerDeps> = {}) {
  const ended = new Map<string, () => void>();
  const worker: Worker = createWorker({
    ...stage.deps,
    pollMs: 60_000,
    onRunChanged: ({ runId, status }) => ended.get(`${runId} ${status}`)?.(),
    ...changes,
  });
  t.after(() => worker.stop({ drainMs: 0 }));
  /** Resolves when a run reaches a status. Call it before the run can reach that status. */
  const comes = (runId: string, status: string): Promise<void> =>
    new Promise((resolve) => ended.set(`${runId} ${status}`, resolve));
  return { worker, comes };
}

describe('the worker', () => {
  it('a worker starts a queued run as soon as it is woken', async (t) => {
    const stage = await setStage(t, { steps: [quick] });
    const { worker, comes } = workerOn(t, stage);
    worker.start();
    const { runId } = await stage.install();
    const done = comes(runId, 'succeeded');
    worker.wake();
    await done;
  });

  it('the worker finds a run that another process queued, even if nothing wakes the worker', async (t) => {
    const stage = await setStage(t, { steps: [quick] });
    const { worker, comes } = workerOn(t, stage, { pollMs: 20 });
    worker.start();
    const { runId } = await stage.install();
    await comes(runId, 'succeeded');
  });

  it('a waiting run continues when it is due', async (t) => {
    let tries = 0;
    const flaky: Step<null> = {
      ...quick,
      async run() {
        tries += 1;
        if (tries === 1) throw new Error('not yet');
        return null;
      },
    };
    const stage = await setStage(t, { steps: [flaky] });
    const { worker, comes } = workerOn(t, stage, { now: Date.now, random: () => 0.1 });
    const { runId } = await stage.install();
    const done = comes(runId, 'succeeded');
    worker.start();
    await done;
    assert.equal(tries, 2);
  });

  it('the worker works on as many runs at a time as its limit allows, and on the others later', async (t) => {
    const slow = slowStep();
    const stage = await setStage(t, { steps: [slow.step] });
    const { worker, comes } = workerOn(t, stage, { concurrency: 1 });
    const first = await stage.install();
    const second = await stage.install({ workspace: 'Globex' });
    const both = [comes(first.runId, 'succeeded'), comes(second.runId, 'succeeded')];
    worker.start();
    await slow.begun.reached;
    assert.equal((await stage.run(second.runId)).status, 'queued');
    slow.goOn.reach();
    await Promise.all(both);
  });

  it('an idle worker rarely queries the database', async (t) => {
    const stage = await setStage(t, { steps: [quick] });
    let reads = 0;
    const database: Database = {
      ...stage.database,
      prepare(build) {
        const ask = stage.database.prepare(build);
        return (values) => {
          reads += 1;
          return ask(values);
        };
      },
      get queries() {
        reads += 1;
        return stage.database.queries;
      },
    };
    const { worker } = workerOn(t, stage, { database });
    worker.start();
    await new Promise((later) => setTimeout(later, 150));
    await worker.stop({ drainMs: 100 });
    assert.ok(reads <= 3, `${reads} reads`);
  });

  it('a failing database does not stop the worker', async (t) => {
    const stage = await setStage(t, { steps: [quick] });
    let faults = 3;
    const database: Database = {
      ...stage.database,
      async write(work, patienceMs) {
        if (faults > 0) {
          faults -= 1;
          throw new DatabaseUnavailableError('locked');
        }
        return stage.database.write(work, patienceMs);
      },
    };
    const { worker, comes } = workerOn(t, stage, { database });
    const { runId } = await stage.install();
    const done = comes(runId, 'succeeded');
    worker.start();
    await done;
    assert.match(stage.logged(), /cannot use the database/);
  });

  it('the worker puts a run back in the queue after an error in Foyer’s own database, and later claims it again', async (t) => {
    const stage = await setStage(t, { steps: [quick] });
    let fails = false;
    const database: Database = {
      ...stage.database,
      async write(work, patienceMs) {
        if (fails) {
          fails = false;
          throw new DatabaseUnavailableError('disk full');
        }
        return stage.database.write(work, patienceMs);
      },
    };
    const failing: Step<null> = {
      ...quick,
      async run() {
        fails = stage.logged().includes('disk full') === false;
        return null;
      },
    };
    const { worker, comes } = workerOn(t, stage, { database, steps: [failing], pollMs: 20 });
    const { runId } = await stage.install();
    const done = comes(runId, 'succeeded');
    worker.start();
    while ((await stage.run(runId)).status !== 'queued' || !stage.logged().includes('disk full')) {
      await new Promise((next) => setImmediate(next));
    }
    await stage.pass(2000);
    worker.wake();
    await done;
  });

  it('if a run is canceled, the worker aborts the current step of the run as soon as something wakes the worker', async (t) => {
    const slow = slowStep();
    const stage = await setStage(t, { steps: [slow.step] });
    const { worker } = workerOn(t, stage, { leaseMs: 600_000, lookMs: 600_000 });
    const { runId, installationId } = await stage.install();
    worker.start();
    await slow.begun.reached;
    const cancel = { installationId, reason: 'uninstalled', now: stage.now() };
    await stage.database.write((transaction) => cancelRuns(transaction, cancel));
    worker.wake();
    await slow.aborted;
    assert.equal((await stage.run(runId)).status, 'cancelled');
  });

  it('a worker renews its lease during a long step', async (t) => {
    const slow = slowStep();
    const stage = await setStage(t, { steps: [slow.step] });
    const { worker, comes } = workerOn(t, stage, { leaseMs: 60 });
    const { runId } = await stage.install();
    const done = comes(runId, 'succeeded');
    worker.start();
    await slow.begun.reached;
    await stage.pass(50);
    const leaseUntil = async () => {
      return (await ownRows(stage.database, 'runs'))[0]?.lease_until;
    };
    while ((await leaseUntil()) !== stage.now() + 60) await new Promise((next) => setTimeout(next, 5));
    assert.equal(await stage.work(), 0);
    slow.goOn.reach();
    await done;
    assert.equal(slow.runs(), 1);
  });
});

describe('a worker whose own lease has expired', () => {
  it('a worker renews its own expired lease instead of claiming its run a second time', async (t) => {
    const slow = slowStep();
    const stage = await setStage(t, { steps: [slow.step] });
    const { worker, comes } = workerOn(t, stage);
    const { runId } = await stage.install();
    const done = comes(runId, 'succeeded');
    worker.start();
    await slow.begun.reached;
    await stage.pass(3_600_000);
    worker.wake();
    const leaseUntil = async () => (await ownRows(stage.database, 'runs'))[0]?.lease_until;
    while ((await leaseUntil()) !== stage.now() + 30_000) {
      await new Promise((next) => setImmediate(next));
    }
    slow.goOn.reach();
    await done;
    const [only] = (await stage.run(runId)).steps;
    assert.deepEqual([slow.runs(), only?.attempts], [1, 1]);
  });
});

describe('stopping the worker', () => {
  it('a stopping worker lets the running step end, commits its result, and begins no other step', async (t) => {
    const slow = slowStep();
    let didNext = false;
    const next: Step<null> = {
      ...quick,
      async run() {
        didNext = true;
        return null;
      },
    };
    const stage = await setStage(t, { steps: [slow.step, next] });
    const { worker } = workerOn(t, stage);
    const { runId } = await stage.install();
    worker.start();
    await slow.begun.reached;
    const stopped = worker.stop({ drainMs: 5000 });
    slow.goOn.reach();
    await stopped;
    const run = await stage.run(runId);
    assert.deepEqual(
      [run.status, run.steps[0]?.status, run.steps[1]?.status, didNext],
      ['queued', 'succeeded', 'pending', false],
    );
    assert.equal((await stage.finish(runId)).status, 'succeeded');
    assert.equal(slow.runs(), 1);
  });

  for (const isDeaf of [false, true]) {
    it(`a stopping worker puts a run back in the queue if its step does not end in time${isDeaf ? ' and ignores the abort signal' : ''}`, async (t) => {
      const slow = slowStep(isDeaf);
      const stage = await setStage(t, { steps: [slow.step] });
      const { worker } = workerOn(t, stage);
      const { runId } = await stage.install();
      worker.start();
      await slow.begun.reached;
      const startedAt = performance.now();
      await worker.stop({ drainMs: 1600 });
      assert.ok(performance.now() - startedAt < 1700);
      const run = await stage.run(runId);
      assert.deepEqual([run.status, run.steps[0]?.status, run.dueAt], ['queued', 'pending', stage.now()]);
      slow.goOn.reach();
      assert.equal((await stage.finish(runId)).status, 'succeeded');
    });
  }

  it('a stopped worker claims nothing more, even when it is woken', async (t) => {
    const stage = await setStage(t, { steps: [quick] });
    const { worker } = workerOn(t, stage);
    worker.start();
    await worker.stop({ drainMs: 1000 });
    const { runId } = await stage.install();
    worker.wake();
    await new Promise((later) => setTimeout(later, 50));
    assert.equal((await stage.run(runId)).status, 'queued');
  });
});

describe('the worker takes over the runs of dead processes', () => {
  const self: WorkerIdentity = { host: 'here', pid: 100, startId: 'new', isAlive: (pid) => pid === 200 };

  it('isDeadOwner recognizes only dead processes of this machine', () => {
    assert.equal(isDeadOwner('here:300:old/x.1', self), true, 'a process that is gone');
    assert.equal(isDeadOwner('here:100:old/x.1', self), true, 'an earlier one with our number');
    assert.equal(isDeadOwner('here:100:new/x.1', self), false, 'ourselves');
    assert.equal(isDeadOwner('here:200:old/x.1', self), false, 'one that lives');
    assert.equal(isDeadOwner('there:300:old/x.1', self), false, 'one elsewhere');
    assert.equal(isDeadOwner('nonsense', self), false);
    assert.equal(thisProcess().isAlive(process.pid), true);
    assert.equal(thisProcess().isAlive(2 ** 22 + 1), false);
  });

  it('a process that has ended counts as dead even before its parent has read its exit code (a zombie)', {
    skip: process.platform !== 'linux' && 'the worker recognizes a zombie by /proc, which only Linux has',
  }, async (t) => {
    // The shell becomes `sleep 60`, which inherits the child and never reads its exit code. The child ends later.
    const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.after(() => parent.kill('SIGKILL'));
    const [printed] = await once(parent.stdout, 'data');
    const pid = Number(printed);
    const { isAlive } = thisProcess();
    while (isAlive(pid)) await new Promise((later) => setTimeout(later, 5));
    assert.doesNotThrow(() => process.kill(pid, 0), 'the zombie still has its number');
    assert.equal(isAlive(parent.pid ?? 0), true);
  });

  it('the worker takes over the run of a process that dies while the worker is running', async (t) => {
    const stage = await setStage(t, { steps: [quick] });
    const living = new Set([200, 300]);
    const identity = { ...self, isAlive: (pid: number) => living.has(pid) };
    const taken = await stage.install();
    const kept = await stage.install({ workspace: 'Globex' });
    const leaseUntil = stage.now() + 30_000;
    for (const [runId, owner] of [
      [taken.runId, 'here:300:old/x.1'],
      [kept.runId, 'here:200:old/x.1'],
    ]) {
      await stage.database.queries
        .updateTable('runs')
        .set({ status: 'running', lease_owner: owner, lease_until: leaseUntil, due_at: leaseUntil })
        .where('id', '=', runId ?? '')
        .execute();
    }
    const { worker, comes } = workerOn(t, stage, { identity, pollMs: 20 });
    const done = comes(taken.runId, 'succeeded');
    worker.start();
    await new Promise((later) => setTimeout(later, 100));
    assert.equal((await stage.run(taken.runId)).status, 'running');
    living.delete(300);
    await done;
    assert.equal((await stage.run(kept.runId)).status, 'running');
  });

  for (const [owner, isFreed] of [
    ['here:300:old/x.1', true],
    ['there:300:old/x.1', false],
  ] as const) {
    it(`the worker ${isFreed ? 'immediately takes over the run of a process that died on this machine' : 'leaves the run of a process on another machine alone until its lease expires'}`, async (t) => {
      const stage = await setStage(t, { steps: [quick] });
      const { runId } = await stage.install();
      const leaseUntil = stage.now() + 30_000;
      await stage.database.queries
        .updateTable('runs')
        .set({ status: 'running', lease_owner: owner, lease_until: leaseUntil, due_at: leaseUntil })
        .where('id', '=', runId)
        .execute();
      const { worker, comes } = workerOn(t, stage, { identity: self });
      const done = comes(runId, 'succeeded');
      worker.start();
      if (isFreed) return done;
      await new Promise((later) => setTimeout(later, 50));
      assert.equal((await stage.run(runId)).status, 'running');
      await stage.pass(30_000);
      worker.wake();
      await done;
    });
  }
});
