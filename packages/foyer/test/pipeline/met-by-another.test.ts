import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Transaction } from 'kysely';
import type { Database } from '../../src/database/database.ts';
import type { Tables } from '../../src/database/records.ts';
import { claimDueRuns } from '../../src/database/run-leases.ts';
import { changeTeamAccess } from '../../src/installations/lifecycle-changes.ts';
import { retryRun } from '../../src/pipeline/retry-run.ts';
import { retryIn, type Step, waitFor } from '../../src/pipeline/step.ts';
import { requestWelcome } from '../../src/steps/request-welcome.ts';
import { setStage } from './pipeline-stage.ts';

const traits = {
  required: true,
  timeLimitMs: 5000,
  title: { todo: 'Do it', doing: 'Doing it' },
  maxAttempts: 3,
};

/** Runs `work` in a transaction and leaves it open; returns a function that commits it. */
async function leaveOpen(database: Database, work: (transaction: Transaction<Tables>) => Promise<unknown>) {
  const gate = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const committed = database.queries.transaction().execute(async (transaction) => {
    await work(transaction);
    done.resolve();
    await gate.promise;
  });
  await Promise.race([done.promise, committed]);
  return async (): Promise<void> => {
    gate.resolve();
    await committed;
  };
}

/** Resolves once a transaction waits for a lock, or once `work` has ended without waiting for one. */
async function waitsForLock({ queries }: Database, work: Promise<unknown>): Promise<void> {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  work.then(end, end);
  while (!isOver) {
    const { rows } = await sql`
      select 1 from pg_locks where not granted and pid in
        (select pid from pg_stat_activity where datname = current_database())`.execute(queries);
    if (rows.length > 0) return;
    await sleep(5);
  }
}

describe('two machines on one Postgres', () => {
  const stageFor = (t: TestContext, step: Step) => setStage(t, { engine: 'Postgres', steps: [step] });

  it('a run does not miss a grant of workspace access that is committed just as the run’s step starts to wait for it', async (t) => {
    const stage = await stageFor(t, {
      ...traits,
      name: 'waits',
      run: async () => waitFor('team_access_granted'),
    });
    const { runId, installationId, teamId } = await stage.install({
      orgWide: true,
      workspace: 'Initech Product',
    });
    const record = await stage.store.readInstallation(installationId);
    const enterpriseId = record?.installation.enterprise?.id;
    const event = {
      clientId: stage.config.slack.clientId,
      query: { teamId: undefined, enterpriseId, isEnterpriseInstall: true },
      change: { teamIds: [teamId], granted: true, changedAt: stage.now() },
      now: stage.now(),
    };
    const commit = await leaveOpen(await stage.reopen(), (transaction) =>
      changeTeamAccess(transaction, event),
    );
    const working = stage.work();
    await waitsForLock(stage.database, working);
    await commit();
    await working;
    assert.equal((await stage.run(runId)).status, 'queued', 'the step runs again');
  });

  it('“Try again” reports a run as in progress if another machine claims that run at the same time', async (t) => {
    const stage = await stageFor(t, { ...traits, name: 'waits', run: async () => retryIn(1000) });
    const { runId } = await stage.install();
    await stage.work();
    await stage.pass(1000);
    const claim = {
      clientId: stage.deps.services.config.slack.clientId,
      limit: 1,
      now: stage.now(),
      leaseUntil: stage.now() + 30_000,
      owner: 'b:1:x/1',
    };
    const other = await stage.reopen();
    const commit = await leaveOpen(other, (transaction) =>
      claimDueRuns({ ...other, queries: transaction, write: (work) => work(transaction) }, claim),
    );
    const retrying = retryRun(stage.database, runId, { now: stage.now() });
    await waitsForLock(stage.database, retrying);
    await commit();
    assert.equal(await retrying, 'going');
    assert.equal((await stage.run(runId)).status, 'running');
  });

  it('Foyer queues only one more welcome if two machines receive the request for it at the same time', async (t) => {
    const stage = await stageFor(t, { ...traits, name: 'send-welcome', run: async () => null });
    const { runId, installationId } = await stage.install();
    const other = await stage.reopen();
    await stage.finish(runId);
    for (let round = 0; round < 10; round += 1) {
      const request = { installationId, userId: null, now: stage.now() };
      const asked = [stage.database, other, stage.database, other].map((database) =>
        requestWelcome(database, request),
      );
      assert.deepEqual((await Promise.all(asked)).sort(), ['going', 'going', 'going', 'queued']);
      await stage.finish(runId);
    }
  });

  it('Foyer does not apply a late uninstall to a newer install that another machine is storing at the same time', async (t) => {
    const stage = await stageFor(t, { ...traits, name: 'only', run: async () => null });
    const { installationId, teamId } = await stage.install();
    const uninstalledAt = stage.now() + 60_000;
    await stage.pass(120_000);
    const other = await stage.reopen();
    const commit = await leaveOpen(other, async (transaction) => {
      await transaction
        .updateTable('installations')
        .set({ installed_at: stage.now(), version: 2 })
        .where('id', '=', installationId)
        .execute();
    });
    const removing = stage.store.deleteInstallation(
      { teamId, enterpriseId: undefined, isEnterpriseInstall: false },
      { before: uninstalledAt },
    );
    await waitsForLock(stage.database, removing);
    await commit();
    assert.equal(await removing, false);
    const stored = await stage.store.readInstallation(installationId);
    assert.ok(stored?.installation.bot?.token, 'its token is still there');
  });
});
