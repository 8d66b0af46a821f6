import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { checkJobs, createJobs, type Job, type JobTurn } from '../../src/chores/jobs.ts';
import { isInTrouble, readJobs } from '../../src/chores/read-jobs.ts';
import { defineFoyer } from '../../src/index.ts';
import { startTestFoyer } from '../../src/testing/start-test-foyer.ts';
import { eventually } from '../../src/testing/visitor.ts';
import { setStage as setPipelineStage } from '../pipeline/pipeline-stage.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { engines } from '../support/open-test-database.ts';
import { recordingLogger, setStage } from '../support/start-foyer.ts';

const hour = 3_600_000;

for (const [engine, open] of Object.entries(engines)) {
  describe(`jobs on ${engine}`, () => {
    it('jobs run once per interval across all machines, and a job that missed several intervals runs once to catch up', async (t) => {
      const opened = await open();
      t.after(() => opened.close());
      const { config } = await setPipelineStage(t);
      const { log } = recordingLogger(config);
      let now = 100 * hour + 1;
      const turns: number[] = [];
      const others: number[] = [];
      const job: Job = { name: 'bill', everyMs: hour, run: async ({ dueAt }) => turns.push(dueAt) };
      const other: Job = { name: 'sweep', everyMs: 2 * hour, run: async ({ dueAt }) => others.push(dueAt) };
      const connections = [opened.database, await opened.reopen(), await opened.reopen()];
      const machines = connections.map((database, ahead) =>
        createJobs({
          ...{ jobs: [job, other], foyer: () => null, database, clientId: 'one', machine: 'm', log },
          now: () => now + ahead * 1000,
        }),
      );
      const pass = () => Promise.all([...machines, ...machines].map((machine) => machine.pass(5000)));
      await pass();
      await pass();
      assert.deepEqual([turns, others], [[100 * hour], [100 * hour]]);
      // The clocks of the second and third machine are ahead: they have reached the next interval, the first has not.
      now = 101 * hour - 500;
      await pass();
      now += 1000;
      await pass();
      assert.deepEqual(turns, [100 * hour, 101 * hour]);
      now = 110 * hour + 5;
      await pass();
      assert.deepEqual(
        [turns, others],
        [[100, 101, 110].map((at) => at * hour), [100, 110].map((at) => at * hour)],
      );

      const [database] = connections;
      assert.ok(database);
      const fresh = { jobs: [job], foyer: () => null, database, machine: 'm', now: () => now, log };
      await createJobs({ ...fresh, clientId: 'one' }).pass(5000);
      assert.equal(turns.length, 3, 'a restarted process knows which turns were done');
      await createJobs({ ...fresh, clientId: 'two' }).pass(5000);
      assert.equal(turns.length, 4, 'another app has its own turns');
    });

    it('if a machine’s clock was far ahead, jobs run again after the clock is corrected', async (t) => {
      const opened = await open();
      t.after(() => opened.close());
      const { config } = await setPipelineStage(t);
      const { log } = recordingLogger(config);
      const turns: number[] = [];
      const job: Job = { name: 'bill', everyMs: hour, run: async ({ dueAt }) => turns.push(dueAt) };
      const pass = (of: Job, now: number): Promise<unknown> => {
        const { database } = opened;
        const machine = { clientId: 'one', machine: 'm', now: () => now, log };
        return createJobs({ jobs: [of], foyer: () => null, database, ...machine }).pass(5000);
      };
      for (const now of [1000 * hour, 100 * hour, 100 * hour]) {
        await pass(job, now);
      }
      assert.deepEqual(turns, [1000 * hour, 100 * hour]);
      // If the clock of the machine that ran the job is only a little ahead, no machine repeats that interval's work.
      const often = { ...job, name: 'often', everyMs: 1000 };
      for (const now of [5000, 2000, 5000]) {
        await pass(often, now);
      }
      assert.deepEqual(turns.slice(2), [5000]);
    });

    it('the job list shows on which machine each job last ran, how it ended, and when it is due next', async (t) => {
      const opened = await open();
      t.after(() => opened.close());
      const { database } = opened;
      const { log } = recordingLogger((await setPipelineStage(t)).config);
      let now = 100 * hour + 60_000;
      let fail: (() => unknown) | undefined;
      const bill: Job = { name: 'bill', everyMs: hour, run: async () => fail?.() };
      const old: Job = { ...bill, name: 'old', run: () => Promise.reject(new Error('gone')) };
      const runner = (machine: string, jobs: Job[], clientId = 'one') =>
        createJobs({ ...{ jobs, foyer: () => null, database, clientId, machine, log }, now: () => now });
      const read = async (jobs = [bill]) => readJobs(database.queries, { clientId: 'one', jobs, now });
      const stateOf = async () => {
        const [state] = await read();
        assert.ok(state);
        return { ...state, tookMs: state.tookMs === null ? null : 'some', isInTrouble: isInTrouble(state) };
      };
      const never = { startedAt: null, machine: null, outcome: null, tookMs: null, errorCode: null };
      const due = { name: 'bill', everyMs: hour, nextDueAt: 100 * hour, isInTrouble: false };
      assert.deepEqual(await stateOf(), { ...never, ...due, status: 'waiting' });
      now += 15 * 60_000;
      assert.deepEqual(await stateOf(), { ...never, ...due, status: 'overdue', isInTrouble: true });

      await runner('web-1', [bill, old]).pass(5000);
      await runner('web-9', [bill], 'two').pass(5000);
      const first = { ...due, startedAt: now, machine: 'web-1', nextDueAt: 101 * hour, errorCode: null };
      const done = { ...first, outcome: 'succeeded', tookMs: 'some', status: 'succeeded' };
      assert.deepEqual(await stateOf(), done);

      const refused = Object.assign(new Error('connect secret'), { code: 'ECONNREFUSED' });
      for (const [error, code] of [
        [Object.assign(new Error('token xoxb-1'), { code: 'ECONNRESET' }), 'econnreset'],
        [Object.assign(new Error('x'), { code: 'xoxb-1-secret' }), 'unexpected_error'],
        [new TypeError('secret'), 'TypeError'],
        [new TypeError('fetch failed', { cause: refused }), 'econnrefused'],
        ['secret', 'unexpected_error'],
      ] as const) {
        now += hour;
        fail = () => Promise.reject(error);
        await runner('web-2', [bill]).pass(5000);
        const failed = await stateOf();
        assert.deepEqual([failed.status, failed.errorCode, failed.isInTrouble], ['failed', code, true]);
        assert.doesNotMatch(JSON.stringify(failed), /secret|xoxb/);
      }

      // A job that hangs is shown as running, with its last outcome, for ten minutes. Then its machine counts as dead.
      now += hour;
      const hanging = Promise.withResolvers<void>();
      // Resolves when the job begins: by then, Foyer has stored that the job is running.
      const begun = Promise.withResolvers<void>();
      fail = () => {
        begun.resolve();
        return hanging.promise;
      };
      const passing = runner('web-3', [bill]).pass(600_000);
      await begun.promise;
      const running = await stateOf();
      assert.deepEqual([running.machine, running.outcome, running.tookMs], ['web-3', 'failed', null]);
      now += 10 * 60_000;
      assert.equal((await stateOf()).status, 'running');
      now += 10_000;
      const interrupted = await stateOf();
      assert.deepEqual(
        [interrupted.status, interrupted.outcome, interrupted.errorCode, interrupted.isInTrouble],
        ['interrupted', 'interrupted', null, true],
      );
      // Another machine starts the job's next turn. When the old turn ends, the list shows the new one as running.
      now += hour;
      const next = Promise.withResolvers<void>();
      fail = () => next.promise;
      const nextPass = runner('web-4', [bill]).pass(600_000);
      await eventually(async () => (await stateOf()).status === 'running');
      hanging.resolve();
      await passing;
      assert.deepEqual([(await stateOf()).status, (await stateOf()).machine], ['running', 'web-4']);
      next.resolve();
      await nextPass;
      assert.equal((await stateOf()).status, 'succeeded');

      // No Foyer has run the job for three hours. If the job is in the definition, the job is overdue. If the job was
      // removed from the definition, the job is not overdue.
      now += 3 * hour;
      assert.deepEqual(
        (await read([])).map(({ name, status, nextDueAt, everyMs }) => [name, status, nextDueAt, everyMs]),
        [
          ['bill', 'removed', null, null],
          ['old', 'removed', null, null],
        ],
      );
      assert.ok(!(await read([])).some(isInTrouble));
      const late = await stateOf();
      assert.deepEqual([late.status, late.outcome, late.isInTrouble], ['overdue', 'succeeded', true]);
      // A turn begun by a machine whose clock was far ahead does not delay the next turn.
      await database.queries
        .updateTable('chores')
        .set({ begun_at: 999 * hour })
        .execute();
      assert.equal((await stateOf()).nextDueAt, Math.floor(now / hour) * hour);
    });

    it('jobs run once per interval if two Foyer processes share a database, even if one of them restarts', async () => {
      const turns: [string, number][] = [];
      const definitionOf = (machine: string) =>
        defineFoyer({
          manifest: JSON.parse(fixtureManifest),
          jobs: [
            {
              name: 'bill',
              everyMs: 24 * hour,
              async run({ foyer, dueAt }) {
                turns.push([`${machine} ${(await foyer.list()).installations.length}`, dueAt]);
              },
            },
            { name: 'fails', everyMs: 24 * hour, run: async () => Promise.reject(new Error('no such plan')) },
          ],
        });
      const dueAt = Math.floor(Date.now() / (24 * hour)) * 24 * hour;
      const name = engine === 'Postgres' ? 'Postgres' : 'SQLite';
      const first = await setStage({ engine: name, foyer: { definition: definitionOf('first') } });
      try {
        await eventually(async () => turns.length === 1);
        // Another process of the same app.
        const { clientId } = first.sandbox.app;
        const environment = { ...first.database.environment, SLACK_CLIENT_ID: clientId };
        const second = await setStage({ environment, foyer: { definition: definitionOf('second') } });
        await first.stop();
        await first.start();
        await second.foyer().drain({ deadlineMs: 2000 });
        await second.close();
        assert.deepEqual(turns, [['first 0', dueAt]]);
        const failures = first.logged().filter((line) => line.includes('a job failed'));
        assert.equal(failures.length, 1);
        assert.match(failures[0] ?? '', /"job":"fails".*no such plan/);
      } finally {
        await first.close();
      }
    });
  });
}

it('Foyer aborts a job at its time limit and runs it again at the next interval, and aborts running jobs when it stops', async () => {
  const turns: JobTurn[] = [];
  const hang: Job = {
    name: 'hang',
    everyMs: 1000,
    async run(turn) {
      turns.push(turn);
      await new Promise((_, fail) => turn.signal.addEventListener('abort', () => fail(turn.signal.reason)));
    },
  };
  const definition = defineFoyer({
    manifest: JSON.parse(fixtureManifest),
    jobs: [hang, { ...hang, name: 'long', everyMs: hour }],
  });
  const app = await startTestFoyer(definition);
  await eventually(async () => turns.filter(({ dueAt }) => dueAt % hour !== 0).length >= 2);
  assert.ok(turns.some(({ signal }) => signal.aborted));
  assert.ok(new Set(turns.map(({ dueAt }) => dueAt)).size === turns.length);
  assert.ok(!turns.every(({ signal }) => signal.aborted));
  const errorOf = async (job: string) => {
    const { rows } = await sql<{
      error_code: string;
    }>`select error_code from chores where name like ${`%/${job}`}`.execute(app.foyer.database.queries);
    return rows[0]?.error_code;
  };
  await eventually(async () => (await errorOf('hang')) === 'time_limit');
  await app.restart();
  assert.equal(await errorOf('long'), 'stopped');
  await app.close();
  assert.ok(turns.every(({ signal }) => signal.aborted));
});

it('`checkJobs` reports every problem in the definition of each job', () => {
  const run = async () => null;
  const problems = checkJobs([
    { name: 'bill', everyMs: 1000, run },
    { name: 'bill', everyMs: 999, run },
    { name: 'Bad name', everyMs: 1500.5, run: 'soon', cron: '* * * * *' },
    null,
  ]).map(({ name, problem, fix }) => {
    assert.notEqual(fix, '');
    return `${name} ${problem}`;
  });
  assert.deepEqual(problems, [
    'jobs[1] (bill) has the same name as an earlier job',
    'jobs[1] (bill) has an invalid `everyMs`',
    'jobs[2] (Bad name) has an invalid name',
    'jobs[2] (Bad name) has an invalid `everyMs`',
    'jobs[2] (Bad name) has no run function',
    'jobs[2] (Bad name) has an unknown property: cron',
    'jobs[3] has an invalid name',
    'jobs[3] has an invalid `everyMs`',
    'jobs[3] has no run function',
  ]);
  assert.deepEqual(checkJobs('daily').length, 1);
});
