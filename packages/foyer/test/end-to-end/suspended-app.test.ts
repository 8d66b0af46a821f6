import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { defineFoyer, type Step } from '../../src/index.ts';
import { checkRecords } from '../../src/operator/doctor/check-records.ts';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { commandOnStage } from '../operator/command-on-stage.ts';
import { setOperatorStage } from '../operator/pages/operator-stage.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import type { EngineName } from '../support/stage-database.ts';

/**
 * These tests show what happens to three customers when Slack suspends the app, and what operators see. One customer
 * leaves during the suspension.
 */

const quarterHourMs = 15 * 60_000;

async function setCustomers(t: TestContext, engine: EngineName) {
  const canceled: string[] = [];
  const title = { todo: 'Bill', doing: 'Billing' };
  const cancelPlan: Step = {
    name: 'cancel-plan',
    title,
    run: async ({ teamId, life }) => canceled.push(`${teamId}/${life}`),
  };
  let mayRun = Promise.resolve();
  let releaseSteps = () => {};
  const greet: Step = {
    name: 'greet',
    title,
    required: true,
    run: async (context) => {
      await mayRun;
      await (await context.slack()).auth.test();
      return null;
    },
  };
  const definition = defineFoyer({
    manifest: JSON.parse(fixtureManifest),
    install: [greet],
    uninstall: [cancelPlan],
  });
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const stage = await setOperatorStage({ engine, foyer: { definition, now, worker: { pollMs: 50 } } });
  await stage.logIn();
  t.after(() => stage.close());
  const { sandbox } = stage;
  const customers = ['Acme', 'Globex', 'Initech Product'].map((name) => ({
    teamId: sandbox.workspace(name).id,
    userId: sandbox.person(name, 'owner').id,
  }));
  const statuses = async () =>
    Promise.all(customers.map(async ({ teamId }) => (await stage.foyer().find({ teamId }))?.status));
  const { queries } = stage.database;
  const runs = async () => queries.selectFrom('runs').select(['pipeline', 'finished_at']).execute();
  /** Waits until every run is finished. */
  const settled = async () => {
    await sandbox.settled();
    await eventually(async () => (await runs()).every((run) => run.finished_at !== null));
  };
  /**
   * Advances the clock to the time when Foyer next asks Slack whether the tokens of held installations work again, and
   * runs everything that is due.
   */
  const nextPass = async () => {
    aheadMs += quarterHourMs;
    await stage.foyer().drain({ deadlineMs: 5000 });
  };
  /** Runs an operator's command; resolves to what it printed. */
  const command = async (...line: string[]) => {
    const { exitCode, stdout } = await commandOnStage({ ...stage, database: undefined as never }, line, {
      now,
    });
    assert.equal(exitCode, 0);
    return stdout;
  };
  const doctorFinding = async () => {
    const found = await checkRecords(queries, stage.config, now(), []);
    return found.find(({ check }) => check === 'app-suspended');
  };
  const uninstallRuns = async () => (await runs()).filter(({ pipeline }) => pipeline === 'uninstall').length;
  const gauge = async () =>
    /^foyer_installations_held (\d+)$/m.exec(await (await fetch(`${stage.url}/metrics`)).text())?.[1];
  return {
    ...{
      ...stage,
      canceled,
      customers,
      statuses,
      settled,
      nextPass,
      command,
      doctorFinding,
      gauge,
      uninstallRuns,
    },
    holdSteps() {
      const { promise, resolve } = Promise.withResolvers<void>();
      mayRun = promise;
      releaseSteps = resolve;
    },
    releaseSteps: () => releaseSteps(),
  };
}

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`a suspended app on ${engine}`, () => {
    it('while Slack suspends the app, Foyer treats no workspace as uninstalled and reports the suspension; afterward, it recovers', async (t) => {
      const stage = await setCustomers(t, engine);
      const { sandbox, url, foyer, logged, customers, canceled, statuses, settled, nextPass } = stage;
      const { command, doctorFinding, gauge, uninstallRuns, holdSteps, releaseSteps } = stage;
      const [acme, globex, initech] = customers;
      assert.ok(acme && globex && initech);
      for (const place of [acme, globex]) await install(createVisitor(), url, sandbox, place);
      await settled();
      await eventually(async () => sandbox.homeView(acme) !== null && sandbox.homeView(globex) !== null);
      assert.equal(await gauge(), '0');
      assert.equal((await doctorFinding())?.status, 'ok');

      // Slack suspends the app while Initech's first step runs, and refuses Initech's token. Foyer then tests the other
      // two customers' tokens, to find out whether the app itself still works.
      holdSteps();
      await install(createVisitor(), url, sandbox, initech);
      sandbox.setSuspended({ isSuspended: true });
      releaseSteps();
      await settled();
      await eventually(async () => (await statuses()).every((status) => status === 'broken'));
      assert.equal(await gauge(), '3');
      await nextPass();
      assert.deepEqual(await statuses(), ['broken', 'broken', 'broken']);
      assert.deepEqual([canceled, await uninstallRuns()], [[], 0]);

      const list = await command('list', '--status', 'broken');
      assert.equal(list.match(/account_inactive, held/g)?.length, 3);
      assert.match(await command('show', globex.teamId), /held +its tokens are kept/);
      const finding = await doctorFinding();
      assert.deepEqual(
        [finding?.status, finding?.detail.slice(0, 25)],
        ['fault', '3 installations are held:'],
      );
      const overview = await (await stage.get('/operator')).text();
      assert.match(overview, /Slack may have suspended the app/);
      const errors = logged().filter(
        (line) =>
          line.includes('Foyer marks the installation broken and keeps its tokens') &&
          line.includes('"severity":"error"'),
      );
      assert.equal(errors.length, 3);

      // Slack sends no event for a team that leaves during the suspension.
      await sandbox.uninstall({ teamId: acme.teamId });
      sandbox.setSuspended({ isSuspended: false });
      // Foyer treats Acme as uninstalled only once Slack accepts another installation's token again. The chore may test
      // Acme first, so it runs twice.
      for (const _ of [1, 2]) await nextPass();
      await settled();
      assert.deepEqual(await statuses(), ['uninstalled', 'active', 'active']);
      assert.deepEqual(canceled, [`${acme.teamId}/1`]);
      assert.equal(await uninstallRuns(), 1);
      assert.equal(await gauge(), '0');
      assert.equal((await doctorFinding())?.status, 'ok');
      assert.equal(
        (await foyer().find({ teamId: initech.teamId }))?.run?.status,
        'succeeded',
        'its run was repeated',
      );
      await eventually(async () =>
        JSON.stringify(sandbox.homeView(globex)).includes('accepts the token again'),
      );
    });
  });
}
