import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.ts';
import { readStepAttempts } from '../../src/database/run-steps.ts';
import {
  type ActingStep,
  type RecordingStep,
  StepError,
  type StepWrite,
  skip,
  withWrite,
} from '../../src/pipeline/step.ts';
import { registerTeam } from '../../src/steps/register.ts';
import { ownRows } from '../support/strangers.ts';
import { setStage } from './pipeline-stage.ts';

const traits = { required: true, title: { todo: 'Do it', doing: 'Doing it' }, maxAttempts: 2 };

const leave =
  (name: string): StepWrite =>
  (transaction) =>
    transaction.insertInto('chores').values({ name, begun_at: 1 }).execute();

const recording = (name: string, write: RecordingStep['write'] = leaving(name)): RecordingStep => ({
  ...traits,
  name,
  write,
});

function leaving(name: string): RecordingStep['write'] {
  return async (transaction) => {
    await leave(name)(transaction);
    return { left: name };
  };
}

const acting = (name: string, run: ActingStep['run'] = async () => null): ActingStep => ({
  ...traits,
  name,
  timeLimitMs: 5000,
  run,
});

async function left(database: Database): Promise<string[]> {
  return (await ownRows(database, 'chores')).map(({ name }) => name).sort();
}

/** The same database, with a count of its commits. */
function counted(database: Database) {
  let commits = 0;
  const write: Database['write'] = async (work, patienceMs) => {
    const value = await database.write(work, patienceMs);
    commits += 1;
    return value;
  };
  return { database: { ...database, write } satisfies Database, commits: () => commits };
}

/** The same database, but it runs each transaction, rolls it back and runs it again. */
function doneTwice(database: Database): Database {
  const undo = new Error('once more');
  return {
    ...database,
    async write(work, patienceMs) {
      const undone = database.write(async (transaction) => {
        await work(transaction);
        throw undo;
      });
      await assert.rejects(undone, undo);
      return database.write(work, patienceMs);
    },
  };
}

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`a write-only step, on ${engine}`, () => {
    it('a write-only step shares one commit with neighboring write-only steps and the start of the next step', async (t) => {
      const steps = [recording('a'), recording('b'), acting('c'), recording('d')];
      const stage = await setStage(t, { engine, steps });
      const { runId } = await stage.install();
      const { database, commits } = counted(stage.database);
      await stage.work({ database });
      const run = await stage.run(runId);
      assert.equal(run.status, 'succeeded');
      assert.deepEqual(
        run.steps.map(({ status, attempts }) => [status, attempts]),
        steps.map(() => ['succeeded', 1]),
      );
      assert.deepEqual(await left(stage.database), ['a', 'b', 'd']);
      assert.equal(
        commits(),
        3,
        'the claim; a, b and the start of c; the end of c, d and the end of the run',
      );
    });

    it('if a step’s write fails, Foyer rolls back only that write and retries only that step', async (t) => {
      let tries = 0;
      const flaky = recording('flaky', async (transaction) => {
        tries += 1;
        await leave(`flaky ${tries}`)(transaction);
        if (tries === 1) await sql`select nothing from nowhere`.execute(transaction);
        return null;
      });
      const stage = await setStage(t, { engine, steps: [recording('before'), flaky, recording('after')] });
      const { runId } = await stage.install();
      await stage.work();
      assert.deepEqual(await left(stage.database), ['before']);
      const resting = await stage.run(runId);
      assert.deepEqual(
        [resting.status, ...resting.steps.map(({ status }) => status)],
        ['waiting', 'succeeded', 'retrying', 'pending'],
      );
      await stage.finish(runId);
      assert.deepEqual(await left(stage.database), ['after', 'before', 'flaky 2']);
      const attempts = await readStepAttempts(stage.database.queries, runId);
      assert.deepEqual(
        attempts.map(({ stepName, attempt, outcome }) => [stepName, attempt, outcome]),
        [
          ['before', 1, 'succeeded'],
          ['flaky', 1, 'retry'],
          ['flaky', 2, 'succeeded'],
          ['after', 1, 'succeeded'],
        ],
      );
    });

    it('a permanent failure of a required write-only step ends the run', async (t) => {
      const failing = recording('failing', async () => {
        throw new StepError('no_luck', 'No luck', { final: true });
      });
      const stage = await setStage(t, { engine, steps: [failing, acting('after')] });
      const { runId } = await stage.install();
      const run = await stage.finish(runId);
      assert.deepEqual(
        [run.status, ...run.steps.map(({ status, errorCode }) => [status, errorCode])],
        ['failed', ['failed', 'no_luck'], ['skipped', 'earlier_step_failed']],
      );
    });

    it('a step’s write is applied once even if its transaction is repeated', async (t) => {
      const steps = [recording('a'), acting('b', async () => withWrite(1, leave('b'))), recording('c')];
      const stage = await setStage(t, { engine, steps });
      const { runId } = await stage.install();
      await stage.work({ database: doneTwice(stage.database) });
      const run = await stage.run(runId);
      assert.equal(run.status, 'succeeded');
      const attempts = await readStepAttempts(stage.database.queries, runId);
      assert.deepEqual(
        attempts.map(({ stepName, attempt, outcome }) => [stepName, attempt, outcome]),
        steps.map(({ name }) => [name, 1, 'succeeded']),
      );
      assert.deepEqual(await left(stage.database), ['a', 'b', 'c']);
    });
  });

  describe(`a step can queue writes (${engine})`, () => {
    it('a step’s write is committed together with the end of the step', async (t) => {
      const stage = await setStage(t, { engine, steps: [acting('a', async () => withWrite(1, leave('a')))] });
      const { runId } = await stage.install();
      const { database, commits } = counted(stage.database);
      await stage.work({ database });
      assert.deepEqual(await left(stage.database), ['a']);
      assert.equal((await stage.run(runId)).status, 'succeeded');
      assert.equal(commits(), 3, 'the claim, the start, the end');
    });

    it('Foyer commits a step’s writes together with the end of the attempt that queued them, and drops them if the attempt throws', async (t) => {
      let attempts = 0;
      const flaky = acting('flaky', async ({ write }) => {
        attempts += 1;
        write(leave(`attempt ${attempts}`));
        if (attempts === 1) throw new Error('not yet');
        write(leave('a second row'));
        return skip('enough', 'The rows are all that was wanted');
      });
      const stage = await setStage(t, { engine, steps: [flaky] });
      const { runId } = await stage.install();
      const run = await stage.finish(runId);
      assert.equal(run.steps[0]?.status, 'skipped');
      assert.deepEqual(await left(stage.database), ['a second row', 'attempt 2']);
    });

    it('an attempt of a step fails if the write that it queued fails', async (t) => {
      const taken = acting('a', async () => withWrite(1, leave('taken')));
      const stage = await setStage(t, { engine, steps: [recording('taken'), taken] });
      const { runId } = await stage.install();
      const run = await stage.finish(runId);
      assert.deepEqual([run.status, run.steps[1]?.status, run.steps[1]?.attempts], ['failed', 'failed', 2]);
      assert.deepEqual(await left(stage.database), ['taken']);
    });

    it('an attempt of a step fails if the write that it queued never ends, while other writes and steps continue', async (t) => {
      let inside: Promise<unknown> | undefined;
      const stuck: StepWrite = async (transaction) => {
        await leave('stuck')(transaction);
        // On SQLite, this inner write waits until the outer one ends.
        inside = stage.database.write(leave('inside'));
        await inside;
        await new Promise(() => {});
      };
      const steps = [
        {
          ...acting('stuck', async ({ write }) => {
            write(stuck);
            return null;
          }),
          ...{ maxAttempts: 1, required: false },
        },
        recording('after'),
      ];
      const stage = await setStage(t, { engine, steps });
      const { runId } = await stage.install();
      const run = await stage.finish(runId);
      assert.deepEqual(
        run.steps.map(({ status, errorCode }) => [status, errorCode]),
        [
          ['failed', 'write_stuck'],
          ['succeeded', null],
        ],
      );
      await inside;
      assert.deepEqual(await left(stage.database), ['after', 'inside']);
    });
  });
}

describe('a step that has nothing to do', () => {
  it('a step that has nothing to do counts as one skipped attempt, and Foyer makes no separate commit for the step', async (t) => {
    const idle: ActingStep = {
      ...acting('idle', () => assert.fail('the step must not run')),
      unneeded: ({ botScopes }) => skip('not_wanted', `Nobody wants it with ${botScopes?.length} scopes`),
    };
    const stage = await setStage(t, { steps: [registerTeam, idle, acting('last')] });
    const { runId } = await stage.install();
    const { database, commits } = counted(stage.database);
    await stage.work({ database });
    assert.equal(commits(), 3);
    const run = await stage.run(runId);
    assert.deepEqual(
      [run.status, run.steps[1]?.status, run.steps[1]?.attempts, run.steps[1]?.errorCode],
      ['succeeded', 'skipped', 1, 'not_wanted'],
    );
    const attempts = await readStepAttempts(stage.database.queries, runId);
    assert.deepEqual(
      attempts.map(({ stepName, outcome }) => [stepName, outcome]),
      [
        ['register-team', 'succeeded'],
        ['idle', 'skipped'],
        ['last', 'succeeded'],
      ],
    );
  });
});
