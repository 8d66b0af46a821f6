import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFoyer, defineFoyer, type Job, readConfig, type Step } from '../../src/index.ts';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { environmentFor, setStage } from '../support/start-foyer.ts';

const title = { todo: 'Count', doing: 'Counting' };
const day = 24 * 3_600_000;

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`drain on ${engine}`, () => {
    it('drain executes each due run and job once, even alongside another drain or a worker, and ends soon after its deadline', async (t) => {
      const counted: string[] = [];
      const turns: number[] = [];
      const gate = Promise.withResolvers<void>();
      let slow = false;
      const count: Step = {
        name: 'count',
        title,
        async run({ teamName }) {
          if (slow) await gate.promise;
          return counted.push(teamName ?? '');
        },
      };
      const job: Job = { name: 'bill', everyMs: day, run: async ({ dueAt }) => turns.push(dueAt) };
      const options = { manifest: JSON.parse(fixtureManifest), install: [count], jobs: [job] };
      // Two Foyers use the same database. The stage's Foyer answers the browser that installs the app, and has no jobs.
      // The test drains the other Foyer, `foyer`.
      const stage = await setStage({ engine, foyer: { definition: { ...options, jobs: [] } } });
      t.after(() => stage.close());
      const { sandbox, url, config, databaseFile } = stage;
      const config2 = readConfig({
        ...environmentFor(sandbox, config.http.port, databaseFile),
        ...stage.database.environment,
        LOG_LEVEL: 'silent',
      });
      const foyer = await createFoyer(defineFoyer({ ...options, config: config2 }));
      t.after(() => foyer.stop());
      const openRuns = () => stage.database.rows('select id from runs where finished_at is null');
      const place = (name: string) => ({
        teamId: sandbox.workspace(name).id,
        userId: sandbox.person(name, 'owner').id,
      });

      // With this many requests, the overview no longer counts the rows itself: it reads counts that a chore stored.
      await stage.database.change(
        `insert into install_requests (id, client_id, progress_hash, outcome, started_at)
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 2001)
         select 'old ' || i, '${config.slack.clientId}', 'old ' || i, 'installed', ${Date.now() - 2 * day} from n`,
      );
      // The stage's Foyer ran this chore when it started. Without this row, the chore runs again.
      await stage.database.change(
        "delete from chores where name like 'store counts for the operator pages%'",
      );
      assert.deepEqual(await foyer.drain({ deadlineMs: 5000 }), { done: true }, 'nothing is due but the job');
      assert.equal(turns.length, 1);
      const kept = await stage.database.rows("select name from kept_counts where name like 'day %'");
      assert.ok(kept.length >= 28, 'the days that are over are counted');
      // The stage's worker finishes these runs. Below, the test queues them again, as if no worker had run them.
      for (const name of ['Acme', 'Globex']) await install(createVisitor(), url, sandbox, place(name));
      await eventually(async () => (await openRuns()).length === 0);
      await stage.stop();
      counted.length = 0;
      const requeue = async () => {
        await stage.database.change(
          "update steps set status = 'pending', finished_at = null, attempts = attempts",
        );
        await stage.database.change(
          "update runs set status = 'queued', due_at = 1, finished_at = null, lease_owner = null, lease_until = null",
        );
      };
      await requeue();
      const passes = await Promise.all([
        foyer.drain({ deadlineMs: 20_000 }),
        foyer.drain({ deadlineMs: 20_000 }),
      ]);
      assert.deepEqual(passes, [{ done: true }, { done: true }]);
      assert.deepEqual(counted.toSorted(), ['Acme', 'Globex']);
      assert.equal(turns.length, 1, 'a job has one turn a day');
      assert.deepEqual(await openRuns(), []);

      slow = true;
      await requeue();
      const startedAt = performance.now();
      assert.deepEqual(await foyer.drain({ deadlineMs: 300 }), { done: false });
      assert.ok(performance.now() - startedAt < 5000, 'it ends soon after its deadline');
      slow = false;
      gate.resolve();
      await foyer.start();
      await foyer.drain({ deadlineMs: 20_000 });
      await eventually(async () => (await openRuns()).length === 0);
      assert.equal(turns.length, 1);
    });
  });
}
