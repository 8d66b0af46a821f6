import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createVisitor, eventually, finishedRun, pressAddToSlack } from '../../src/testing/visitor.ts';
import { count, isFullRun } from '../faults/support/full-run.ts';
import { heldTokens, liveTokens } from '../faults/support/tokens.ts';
import { type Machines, setMachines, startMachineProcess } from './support/set-machines.ts';

/** Tests installs that involve two machines on one Postgres. */

/** How long an install may take on a busy machine. */
const patienceMs = 90_000;

interface Place {
  teamId: string;
  userId: string;
}

async function machinesFor(t: TestContext, options?: Parameters<typeof setMachines>[0]): Promise<Machines> {
  const machines = await setMachines(options);
  t.after(() => machines.close());
  return machines;
}

/** A new workspace, without an install. */
function newPlace({ sandbox }: Machines, name: string): Place {
  const { id } = sandbox.addWorkspace({ name });
  return { teamId: id, userId: sandbox.person(id, 'owner').id };
}

/** Returns the callback's address with the machine's own origin in place of the public one. */
const at = ({ url }: { url: string }, callback: string): string => {
  const { pathname, search } = new URL(callback);
  return url + pathname + search;
};

/**
 * Checks that the team has one active installation and one welcome, that its newest run succeeded, and that no step
 * succeeded twice in a run.
 */
async function assertOneInstall(machines: Machines, place: Place): Promise<void> {
  const { sandbox, database } = machines;
  const installations = await database.rows<{ id: string; status: string }>(
    'select id, status from installations where team_id = ?',
    place.teamId,
  );
  assert.deepEqual(
    installations.map(({ status }) => status),
    ['active'],
  );
  // A second install cancels the run of the first one if that run has not finished.
  const runs = await database.rows<{ status: string }>(
    'select status from runs where installation_id = ? order by created_at desc, id desc',
    installations[0]?.id,
  );
  const [newest, ...earlier] = runs.map(({ status }) => status);
  assert.equal(newest, 'succeeded');
  for (const status of earlier) assert.ok(['succeeded', 'cancelled'].includes(status), JSON.stringify(runs));
  assert.equal(sandbox.messages(place).length, 1, 'welcomes');
  const twice = await database.rows(
    "select run_id, step_name from step_attempts where outcome = 'succeeded' group by 1, 2 having count(*) > 1",
  );
  assert.deepEqual(twice, []);
}

describe('an install on two machines', { concurrency: 4 }, () => {
  it('an install succeeds if it begins on one machine and its callback reaches the other', async (t) => {
    const machines = await machinesFor(t);
    const { a, b, sandbox } = machines;
    for (const [begun, ended] of [
      [a, b],
      [b, a],
    ] as const) {
      const place = newPlace(machines, `From ${begun.url}`);
      const visitor = createVisitor();
      const callback = await pressAddToSlack(visitor, begun.url, sandbox, place);
      const done = await visitor.get(at(ended, callback));
      assert.equal(done.status, 303);
      const progress = done.headers.get('location');
      assert.equal((await finishedRun(visitor, begun.url + progress, patienceMs)).status, 'succeeded');
      assert.equal((await visitor.get(ended.url + progress)).status, 200);
      await assertOneInstall(machines, place);
    }
  });

  it('two machines that get the same callback at the same time exchange its code once', async (t) => {
    const machines = await machinesFor(t);
    const { a, b, sandbox } = machines;
    for (let n = 0; n < count({ quick: 2, full: 20 }); n += 1) {
      const place = newPlace(machines, `Clicked twice ${n}`);
      const visitor = createVisitor();
      const callback = await pressAddToSlack(visitor, a.url, sandbox, place);
      const before = sandbox.calls('oauth.v2.access').length;
      const answers = await Promise.all([a, b].map((machine) => visitor.get(at(machine, callback))));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [303, 303],
      );
      assert.equal(sandbox.calls('oauth.v2.access').length, before + 1);
      const [one, other] = answers.map(({ headers }) => headers.get('location'));
      assert.equal(one, other);
      assert.equal((await finishedRun(visitor, b.url + one, patienceMs)).status, 'succeeded');
      await assertOneInstall(machines, place);
    }
  });

  it('two simultaneous first installs of a team become one installation with one welcome', async (t) => {
    const machines = await machinesFor(t);
    const { a, b, sandbox, database } = machines;
    const rounds = count({ quick: 3, full: 30 });
    for (let n = 0; n < rounds; n += 1) {
      const place = newPlace(machines, `Two at once ${n}`);
      const clicks = await Promise.all(
        [a, b].map(async (machine) => {
          const visitor = createVisitor();
          const callback = await pressAddToSlack(visitor, machine.url, sandbox, place);
          return { visitor, callback: at(machine, callback) };
        }),
      );
      const answers = await Promise.all(clicks.map(({ visitor, callback }) => visitor.get(callback)));
      for (const answer of answers) assert.equal(answer.status, 303, await answer.text());
      await eventually(async () => {
        const open = await database.rows('select id from runs where finished_at is null');
        return open.length === 0;
      }, patienceMs);
      await assertOneInstall(machines, place);
    }
    assert.deepEqual(liveTokens(sandbox).sort(), (await heldTokens(a.config)).sort());
    const lines = [...a.logged(), ...b.logged()].filter((line) => /interrupted by an error/.test(line));
    assert.deepEqual(lines, []);
  });

  it('if a machine is killed, another finishes its run, repeats no finished step and sends only one welcome', async (t) => {
    const machines = await machinesFor(t);
    const { b, sandbox, database, environment } = machines;
    machines.sendTo(b);
    const cuts = isFullRun ? (['users.info', 'chat.postMessage'] as const) : (['chat.postMessage'] as const);
    for (const method of cuts) {
      // Here, A is a separate process. The two machines in the test's own process stay stopped until A has claimed the
      // run: otherwise, one of them could claim it.
      await Promise.all([machines.a.stop(), b.stop()]);
      const a = await startMachineProcess(t, environment);
      const place = newPlace(machines, `Killed in ${method}`);
      // A is killed during this call: Slack acts on the call, but A never gets the answer.
      sandbox.faults.add({ method, failure: { type: 'hang', delayMs: 20_000, acts: true } });
      const visitor = createVisitor();
      const callback = await pressAddToSlack(visitor, a.url, sandbox, place);
      const done = await visitor.get(at(a, callback));
      const held = (await eventually(async () => {
        const [run] = await database.rows<{ id: string; lease_owner: string }>(
          "select id, lease_owner from runs where status = 'running'",
        );
        return (
          sandbox.calls(method).some((call) => call.fault === 'hang' && call.teamId === place.teamId) && run
        );
      })) as { id: string; lease_owner: string };
      assert.match(held.lease_owner, new RegExp(`:${a.process.child.pid}:`), 'A works on it');
      await b.start();
      const finished = await database.rows<{ step_name: string }>(
        "select step_name from step_attempts where run_id = ? and outcome = 'succeeded' order by 1",
        held.id,
      );
      assert.ok(finished.length > 0);
      a.process.kill();
      await a.process.ended;
      const run = await finishedRun(visitor, b.url + done.headers.get('location'), patienceMs);
      assert.equal(run.status, 'succeeded');
      await assertOneInstall(machines, place);
      for (const { step_name } of finished) {
        const step = run.steps.find(({ name }) => name === step_name);
        assert.equal(step?.attempts, 1, `${step_name} was done again`);
      }
    }
  });

  it('an uninstall event that reaches one machine stops the run on the other, even while that run waits for Slack', async (t) => {
    const machines = await machinesFor(t);
    const { a, b, sandbox, database } = machines;
    const place = newPlace(machines, 'Gone');
    // A is stopped during the install, so B executes the run. B is waiting for Slack's answer when A starts again.
    await a.stop();
    sandbox.faults.add({ method: 'users.info', failure: { type: 'hang', delayMs: 20_000, acts: false } });
    const visitor = createVisitor();
    const callback = await pressAddToSlack(visitor, b.url, sandbox, place);
    const done = await visitor.get(at(b, callback));
    await eventually(async () => sandbox.calls('users.info').length === 1);
    await a.start();
    machines.sendTo(a);
    const removedAt = performance.now();
    for (const delivery of await sandbox.uninstall({ teamId: place.teamId }))
      assert.equal(delivery?.status, 200);
    const calls = sandbox.calls().length;
    // When B is asked for the run's status, it reads the database. So B answers `cancelled` even before its worker
    // notices.
    const status = await visitor.get(`${b.url}${done.headers.get('location')}/status`);
    assert.equal(((await status.json()) as { status: string }).status, 'cancelled');
    await eventually(async () =>
      b.logged().some((line) => line.includes('stopped working on the run: it was canceled')),
    );
    const stoppedMs = Math.round(performance.now() - removedAt);
    // B checks every half second whether its run was cancelled. Otherwise, B would stop only when the call ends (eight
    // seconds) or when B renews its lease (ten seconds).
    assert.ok(stoppedMs < 5000, `${stoppedMs} ms`);
    assert.equal(sandbox.calls().length, calls, 'nothing more was asked of Slack');
    assert.deepEqual(await database.rows('select id from runs where finished_at is null'), []);
    t.diagnostic(`B stopped ${stoppedMs} ms after the uninstall`);
  });
});
