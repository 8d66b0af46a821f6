import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { foyerVersion } from '../../src/config/version.ts';
import { createIsInMaintenance } from '../../src/http/guard-installs.ts';
import {
  createVisitor,
  eventually,
  finishedRun,
  install,
  pressAddToSlack,
} from '../../src/testing/visitor.ts';
import { openTestDatabase } from '../support/open-test-database.ts';
import type { EngineName } from '../support/stage-database.ts';
import { commandOnStage } from './command-on-stage.ts';
import { createOperatorHarness, installedAt, testOnBothEngines } from './operator-harness.ts';
import { setOperatorStage } from './pages/operator-stage.ts';

testOnBothEngines('`maintenance` says whether maintenance is on, and since when', async (t, engine) => {
  const { run } = await createOperatorHarness(t, {}, engine);
  const off = { maintenance: false, since: null };
  const on = { maintenance: true, since: '2026-11-22T01:47:03.000Z' };
  const json = async (wish: string, now = installedAt) =>
    JSON.parse((await run(['maintenance', wish, '--json'], { now: () => now })).stdout);
  assert.deepEqual(await json('status'), off);
  assert.deepEqual(await json('on'), on);
  assert.deepEqual(await json('on', installedAt + 60_000), on, 'it began when it was first turned on');
  assert.match(
    (await run(['maintenance', 'status'])).stdout,
    /has been on since 2026-11-22 01:47:03Z: installs are/,
  );
  assert.deepEqual(await json('off'), off);
  assert.match((await run(['maintenance', 'off'])).stdout, /is off: installs are accepted/);
});

/** Starts a Foyer; `maintenance` runs the command beside it, as another process would. */
async function setMaintenanceStage(t: TestContext, engine: EngineName) {
  const stage = await setOperatorStage({ engine });
  t.after(() => stage.close());
  const status = async () => (await fetch(`${stage.url}/slack/install`, { redirect: 'manual' })).status;
  return {
    stage,
    async maintenance(wish: 'on' | 'off') {
      const { exitCode, stderr } = await commandOnStage({ ...stage, database: undefined as never }, [
        'maintenance',
        wish,
      ]);
      assert.equal(exitCode, 0, stderr);
      await eventually(async () => (await status()) === (wish === 'on' ? 503 : 302));
    },
  };
}

testOnBothEngines(
  'during maintenance, an install and a callback get a page with status 503, and the callback succeeds once maintenance is over',
  async (t, engine) => {
    const { stage, maintenance } = await setMaintenanceStage(t, engine);
    const { sandbox, url } = stage;
    const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
    const visitor = createVisitor();
    const callback = await pressAddToSlack(visitor, url, sandbox, acme);
    await maintenance('on');

    const start = await fetch(`${url}/slack/install`, { headers: { 'accept-language': 'de' } });
    assert.deepEqual([start.status, start.headers.get('retry-after')], [503, '300']);
    assert.match(await start.text(), /Installationen sind kurz unterbrochen/);
    const refused = await visitor.get(callback);
    assert.equal(refused.status, 503);
    const page = await refused.text();
    assert.match(page, /Installing is paused for a moment/);
    assert.match(page, /<a class="button" href="">Try again<\/a>/);
    for (const name of ['code', 'state']) {
      const secret = new URL(callback).searchParams.get(name) ?? '';
      assert.ok(secret.length > 10 && !page.includes(secret), `the page shows the ${name}`);
    }
    assert.equal(sandbox.calls('oauth.v2.access').length, 0);

    await maintenance('off');
    const done = await visitor.get(callback);
    await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
    assert.equal(sandbox.calls('oauth.v2.access').length, 1);
  },
);

testOnBothEngines(
  'during maintenance, Foyer still applies events, and /readyz, the metrics and the operator pages report maintenance',
  async (t, engine) => {
    const { stage, maintenance } = await setMaintenanceStage(t, engine);
    const { sandbox, url, visitor } = stage;
    const teamId = sandbox.workspace('Acme').id;
    const done = await install(visitor, url, sandbox, { teamId, userId: sandbox.person('Acme').id });
    await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
    await stage.logIn();
    const readyz = async () => (await fetch(`${url}/readyz`)).json();
    const overview = async () => (await stage.get('/operator')).text();
    assert.deepEqual(await readyz(), { status: 'ok' });
    assert.doesNotMatch(await overview(), /Maintenance is on/);

    await maintenance('on');
    await sandbox.uninstall({ teamId });
    await sandbox.settled();
    const [row] = await stage.database.queries.selectFrom('installations').select('status').execute();
    assert.equal(row?.status, 'uninstalled');
    const ready = await fetch(`${url}/readyz`);
    assert.deepEqual([ready.status, await ready.json()], [200, { status: 'ok', maintenance: true }]);
    const page = await overview();
    assert.match(page, /Maintenance is on: installs are paused/);
    assert.ok(page.includes(`Foyer ${foyerVersion}`), 'it says which version runs');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /^foyer_maintenance 1$/m);
    assert.match(metrics, /^foyer_refused_requests_total\{kind="maintenance"\} [1-9]/m);
    await maintenance('off');
    assert.match(await (await fetch(`${url}/metrics`)).text(), /^foyer_maintenance 0$/m);
  },
);

test('while the database hangs or fails, Foyer stays in maintenance if maintenance was on at the last successful read', async () => {
  const { database, close } = await openTestDatabase();
  await database.write((tx) =>
    tx.insertInto('maintenance').values({ client_id: '1.2', began_at: 1 }).execute(),
  );
  let answers: 'normally' | 'never' | 'with an error' = 'normally';
  let mark = 0;
  const isInMaintenance = createIsInMaintenance(
    {
      changeMark: () => ++mark,
      prepare(build) {
        const read = database.prepare(build);
        return async (values) => {
          if (answers === 'never') await new Promise(() => {});
          if (answers === 'with an error') throw new Error('down');
          return read(values);
        };
      },
    },
    '1.2',
  );
  assert.equal(await isInMaintenance(), true);
  for (const trouble of ['never', 'with an error'] as const) {
    answers = trouble;
    assert.equal(await isInMaintenance(), true, 'the last answer counts');
  }
  await close();
});
