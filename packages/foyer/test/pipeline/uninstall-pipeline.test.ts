import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commitConnection } from '../../src/connections/commit-connection.ts';
import { readHistory } from '../../src/database/history.ts';
import { readInstallRecord } from '../../src/database/install-record.ts';
import { listRuns } from '../../src/database/runs.ts';
import { settleUninstall } from '../../src/operator/settle-uninstall.ts';
import { retryRun } from '../../src/pipeline/retry-run.ts';
import { retryIn, type Step, type StepContext, StepError, waitFor } from '../../src/pipeline/step.ts';
import { engines } from '../support/open-test-database.ts';
import { mortal, type PipelineStage, setStage, signal } from './pipeline-stage.ts';

const title = { todo: 'Do it', doing: 'Doing it' };

/** An install step that starts a trial, and two uninstall steps. The first uninstall step runs `cancel`. */
function billing(cancel: (context: StepContext) => ReturnType<NonNullable<Step['run']>>) {
  const startTrial: Step<{ trial: string }> = {
    name: 'start-trial',
    title,
    run: async ({ installationId, life }) => ({ trial: `${installationId}/${life}` }),
  };
  const cancelPlan: Step = { name: 'cancel-plan', title, run: cancel };
  const sayGoodbye: Step = { name: 'say-goodbye', title, run: async () => null };
  const steps: Step[] = [startTrial];
  return { startTrial, steps, uninstallSteps: [cancelPlan, sayGoodbye] };
}

async function uninstallRuns(stage: PipelineStage, installationId: string) {
  const runs = await listRuns(stage.database.queries, installationId, 50);
  return runs.filter((run) => run.pipeline === 'uninstall');
}

for (const engine of Object.keys(engines) as (keyof typeof engines)[]) {
  describe(`the uninstall pipeline on ${engine}`, () => {
    it('an uninstall starts one run; its steps can read the outputs of the install run, but have no token', async (t) => {
      const seen: unknown[] = [];
      const { startTrial, ...lists } = billing(async (context) => {
        const refused = await context.slack().catch((error: unknown) => error);
        assert.ok(refused instanceof StepError);
        seen.push([context.teamId, context.pipeline, context.output(startTrial)]);
        return { cancelled: true };
      });
      const stage = await setStage(t, { engine, ...lists });
      const acme = await stage.install();
      const globex = await stage.install({ workspace: 'Globex' });
      await stage.work();
      const removal = { before: stage.now() + 1000, eventId: 'Ev1', reason: 'app_uninstalled' };

      assert.equal(await stage.store.deleteInstallation({ teamId: acme.teamId }, removal), true);
      assert.equal(await stage.store.deleteInstallation({ teamId: acme.teamId }, removal), false);
      const { queries } = stage.database;
      const settled = () => settleUninstall(queries, acme.installationId, 0);
      assert.equal((await settled())?.status, 'queued', 'a purge waits for the run');
      await stage.work();
      assert.equal(await settled(), undefined);

      assert.deepEqual(seen, [[acme.teamId, 'uninstall', { trial: `${acme.installationId}/1` }]]);
      const [run, ...more] = await uninstallRuns(stage, acme.installationId);
      assert.deepEqual([run?.status, more], ['succeeded', []]);
      assert.deepEqual(
        run?.steps.map(({ name, status }) => [name, status]),
        [
          ['cancel-plan', 'succeeded'],
          ['say-goodbye', 'succeeded'],
        ],
      );
      assert.deepEqual(await uninstallRuns(stage, globex.installationId), []);
      const history = await readHistory(stage.database.queries, acme.installationId, 10);
      assert.ok(history.some(({ kind }) => kind === 'uninstall_run_succeeded'));
      const record = await readInstallRecord(stage.database.queries, acme.installationId);
      assert.equal(record?.run?.id, acme.runId);
    });

    it('if a reinstall connects the workspace to another account, a retry of the earlier uninstall run does not see that account', async (t) => {
      const orgs: (string | undefined)[] = [];
      const { startTrial: _, ...lists } = billing(async ({ connection }) => {
        orgs.push(connection?.org);
        return orgs.length === 1 ? retryIn(1000) : null;
      });
      const stage = await setStage(t, { engine, ...lists });
      const acme = await stage.install();
      const { installationId, runId, userId, teamId } = acme;
      const { clientId } = stage.config.slack;
      const connect = (org: string, isNewLife: boolean) =>
        stage.database.write((tx) =>
          commitConnection(tx, {
            ...{ clientId, installationId, runId, userId, isNewLife, now: stage.now() },
            ...{ progressHash: org, confirmedMove: false, link: { org, jti: org }, rule: 'refuse' },
          }),
        );
      await connect('first', false);
      await stage.work();
      await stage.pass(1000);
      await stage.store.deleteInstallation({ teamId });
      await stage.work();
      await stage.pass(1000);
      await stage.install();
      await connect('second', true);
      while ((await stage.work()) > 0);
      assert.deepEqual(orgs, ['first', undefined]);
    });

    it('a failed uninstall run holds up a purge, but not after the app is installed again', async (t) => {
      const { startTrial: _, ...lists } = billing(async () => {
        throw new StepError('billing_down', 'Cannot cancel', { final: true });
      });
      const stage = await setStage(t, { engine, ...lists });
      const { installationId, teamId } = await stage.install();
      await stage.work();
      await stage.store.deleteInstallation({ teamId });
      await stage.work();
      const settled = () => settleUninstall(stage.database.queries, installationId, 0);
      assert.equal((await settled())?.status, 'failed');
      await stage.pass(1000);
      await stage.install();
      assert.equal(await settled(), undefined);
    });

    it('an uninstall event that is older than the install starts no uninstall run', async (t) => {
      const { startTrial: _, ...lists } = billing(async () => null);
      const stage = await setStage(t, { engine, ...lists });
      const acme = await stage.install();
      const stale = { before: stage.now() - 60_000, eventId: 'Ev0', reason: 'app_uninstalled' };

      assert.equal(await stage.store.deleteInstallation({ teamId: acme.teamId }, stale), false);
      await stage.work();
      assert.deepEqual(await uninstallRuns(stage, acme.installationId), []);
    });

    it('an uninstall starts no run if the app defines no uninstall steps', async (t) => {
      const stage = await setStage(t, { engine, steps: billing(async () => null).steps });
      const acme = await stage.install();
      await stage.store.deleteInstallation({ teamId: acme.teamId });
      assert.deepEqual(await uninstallRuns(stage, acme.installationId), []);
    });

    it('the run of a reinstall waits until all earlier uninstall runs of the workspace have ended', async (t) => {
      const order: string[] = [];
      const blocked = new Set([1, 2]);
      const { startTrial: _, ...lists } = billing(async ({ life }) => {
        if (blocked.has(life)) return retryIn(60_000);
        order.push(`cancel ${life}`);
        return null;
      });
      lists.steps.push({
        name: 'count',
        title,
        run: async ({ life, teamName }) => order.push(`${teamName} install ${life}`),
      });
      const stage = await setStage(t, { engine, ...lists });
      const first = await stage.install();
      await stage.work();
      await stage.store.deleteInstallation({ teamId: first.teamId });
      await stage.work();
      await stage.pass(1000);
      await stage.install();
      await stage.store.deleteInstallation({ teamId: first.teamId });
      await stage.pass(1000);
      const third = await stage.install();
      await stage.install({ workspace: 'Globex' });
      await stage.work();

      assert.deepEqual(order, ['Acme install 1', 'Globex install 1']);
      assert.equal((await stage.run(third.runId)).waitingFor, 'uninstall_run');
      assert.equal(await retryRun(stage.database, third.runId, { now: stage.now() }), 'going');
      for (const life of [1, 2]) {
        blocked.delete(life);
        await stage.pass(60_000);
        while ((await stage.work()) > 0);
        if (life === 1) assert.deepEqual(order.slice(2), ['cancel 1']);
      }
      assert.deepEqual(order.slice(2), ['cancel 1', 'cancel 2', 'Acme install 3']);
    });

    it('an uninstall run continues after a reinstall, and can still be retried', async (t) => {
      let fails = true;
      const { startTrial: _, ...lists } = billing(async () => {
        if (fails) throw new StepError('billing_down', 'The billing system refused', { final: true });
        return null;
      });
      const stage = await setStage(t, { engine, ...lists });
      const acme = await stage.install();
      await stage.store.deleteInstallation({ teamId: acme.teamId });
      await stage.pass(1000);
      const again = await stage.install();
      await stage.work();
      await stage.work();
      const [run] = await uninstallRuns(stage, acme.installationId);
      assert.ok(run);
      assert.deepEqual(
        run.steps.map(({ status }) => status),
        ['failed', 'succeeded'],
      );
      assert.equal((await stage.run(again.runId)).status, 'succeeded');

      fails = false;
      assert.equal(await retryRun(stage.database, run.id, { now: stage.now() }), 'queued');
      await stage.work();
      assert.equal((await stage.run(run.id)).status, 'succeeded');
    });

    it('an uninstall step fails if it asks to wait for an event, because the uninstall run would then hold up a reinstall', async (t) => {
      const { startTrial: _, ...lists } = billing(async () => waitFor('team_access_granted'));
      const stage = await setStage(t, { engine, ...lists });
      const acme = await stage.install();
      await stage.store.deleteInstallation({ teamId: acme.teamId });
      await stage.work();
      const [run] = await uninstallRuns(stage, acme.installationId);
      assert.deepEqual(
        run?.steps.map(({ status, errorCode }) => [status, errorCode]),
        [
          ['failed', 'cannot_wait'],
          ['succeeded', null],
        ],
      );
    });

    it('an uninstall run resumes at its first unfinished step if the process dies halfway', async (t) => {
      const calls: string[] = [];
      const inCancel = signal();
      let dead = false;
      const { startTrial: _, ...lists } = billing(async () => {
        calls.push('cancel');
        if (!dead) {
          dead = true;
          inCancel.reach();
        }
        return null;
      });
      lists.uninstallSteps.unshift({
        name: 'first',
        title,
        run: async () => calls.push('first'),
      });
      const stage = await setStage(t, { engine, ...lists });
      const acme = await stage.install();
      await stage.work();
      await stage.store.deleteInstallation({ teamId: acme.teamId });
      void stage.work({ database: mortal(stage.database, () => dead) });
      await inCancel.reached;
      await stage.pass(31_000);
      await stage.work();

      assert.deepEqual(calls, ['first', 'cancel', 'cancel']);
      const [run] = await uninstallRuns(stage, acme.installationId);
      assert.equal(run?.status, 'succeeded');
    });
  });
}
