import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { defineFoyer, readConfig, runCommand, type Step } from '../../src/index.ts';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import type { EngineName } from '../support/stage-database.ts';
import { environmentFor, setStage } from '../support/start-foyer.ts';

/** These tests show when the uninstall pipeline runs after a customer has left, and when it must not run. */

/** Starts an app with two customers, an uninstall pipeline, and a plain Bolt listener for `app_uninstalled`. */
async function setShop(t: TestContext, engine: EngineName) {
  const started: string[] = [];
  const canceled: string[] = [];
  const heard: string[] = [];
  const title = { todo: 'Bill', doing: 'Billing' };
  const startTrial: Step = {
    name: 'start-trial',
    title,
    run: async ({ teamId, life }) => started.push(`${teamId}/${life}`),
  };
  const cancelPlan: Step = {
    name: 'cancel-plan',
    title,
    run: async ({ teamId, life }) => canceled.push(`${teamId}/${life}`),
  };
  const definition = defineFoyer({
    manifest: JSON.parse(fixtureManifest),
    install: [startTrial],
    uninstall: [cancelPlan],
    listeners(app) {
      app.event('app_uninstalled', async ({ body }) => void heard.push(body.event_id));
    },
  });
  const stage = await setStage({ engine, foyer: { definition, worker: { pollMs: 50 } } });
  t.after(() => stage.close());
  const { sandbox } = stage;
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
  const globex = { teamId: sandbox.workspace('Globex').id, userId: sandbox.person('Globex', 'owner').id };
  const statusOf = async ({ teamId }: typeof acme) => (await stage.foyer().find({ teamId }))?.status;
  /** Waits until every event is delivered and every run is finished. */
  const settled = async () => {
    await sandbox.settled();
    await eventually(async () => {
      const open = await stage.database.rows('select id from runs where finished_at is null');
      return open.length === 0;
    });
  };
  for (const place of [acme, globex]) await install(createVisitor(), stage.url, sandbox, place);
  await settled();
  // Foyer publishes Home at the end of each install run. Without this wait, Foyer could publish Home after a test has
  // uninstalled the app, and learn of the uninstall from the dead token.
  await eventually(async () => [acme, globex].every((place) => sandbox.homeView(place) !== null));
  return { ...stage, definition, started, canceled, heard, acme, globex, statusOf, settled };
}

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`the uninstall pipeline on ${engine}`, () => {
    it('the uninstall pipeline does not run for an uninstall event that is older than the reinstall', async (t) => {
      const { sandbox, url, acme, started, canceled, heard, statusOf, settled } = await setShop(t, engine);
      sandbox.deliveries.hold();
      const [gone] = await sandbox.uninstall({ teamId: acme.teamId });
      const wholeSecondMs = 1100;
      await new Promise((next) => setTimeout(next, wholeSecondMs));
      // The same customer installs again before Slack's event arrives.
      await install(createVisitor(), url, sandbox, acme);
      await settled();
      await sandbox.deliveries.release();
      for (const again of await sandbox.deliveries.resend(gone?.id ?? '', { times: 3 }))
        assert.equal(again.status, 200);
      await settled();
      assert.equal(await statusOf(acme), 'active');
      assert.deepEqual(canceled, []);
      assert.equal(started.filter((trial) => trial.startsWith(acme.teamId)).length, 2);
      // A Bolt listener also receives the stale event, once: only the pipeline ignores it.
      await eventually(async () => heard.length > 0);
      assert.equal(heard.length, 1);
    });

    it('a purge runs the uninstall pipeline once before it erases the record, and only for the purged team', async (t) => {
      const shop = await setShop(t, engine);
      const { acme, globex, canceled, statusOf, settled, config, databaseFile, sandbox } = shop;
      const environment = {
        ...environmentFor(sandbox, config.http.port, databaseFile),
        ...shop.database.environment,
        LOG_LEVEL: 'silent',
      };
      const definition = { ...shop.definition, config: readConfig(environment) };
      assert.equal(await runCommand(definition, ['purge', acme.teamId, '--yes', '--json']), 0);
      await settled();
      assert.deepEqual(canceled, [`${acme.teamId}/1`]);
      assert.equal(await statusOf(acme), undefined);
      assert.equal(await statusOf(globex), 'active');
    });

    it('the uninstall pipeline runs once if Slack refuses the token and auth.test confirms the uninstall, even if the event arrives later', async (t) => {
      const { sandbox, foyer, database, acme, globex, canceled, statusOf, settled, logged } = await setShop(
        t,
        engine,
      );
      sandbox.deliveries.hold();
      await sandbox.uninstall({ teamId: acme.teamId });
      // Foyer calls Slack only if the view differs from the stored one, so the test deletes the stored views.
      await database.change('delete from home_views');
      for (const place of [acme, globex]) await foyer().publishHome({ teamId: place.teamId }, place.userId);
      await eventually(async () => canceled.length > 0);
      await settled();
      assert.equal(await statusOf(acme), 'uninstalled');
      assert.equal(await statusOf(globex), 'active');
      await sandbox.deliveries.release();
      await settled();
      assert.deepEqual(canceled, [`${acme.teamId}/1`]);
      assert.ok(logged().some((line) => line.includes('Slack says that the app was removed')));
    });
  });
}
