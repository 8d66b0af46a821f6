import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineFoyer } from '../../src/index.ts';
import { createVisitor, install } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { setStage } from '../support/start-foyer.ts';

/**
 * Starts a Foyer with three installations made through OAuth, one of them uninstalled, and `many` copies of the first.
 */
async function setTeams(t: TestContext, engine: 'SQLite' | 'Postgres', many: number) {
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), install: [] });
  const stage = await setStage({ engine, foyer: { definition } });
  t.after(() => stage.close());
  const { sandbox, url, database } = stage;
  const places = ['Acme', 'Globex', 'Initech Product'].map((name) => ({
    teamId: sandbox.workspace(name).id,
    userId: sandbox.person(name, 'owner').id,
  }));
  for (const place of places) await install(createVisitor(), url, sandbox, place);
  await sandbox.uninstall({ teamId: places[2]?.teamId ?? '' });
  const [row = {}] = await database.rows<Record<string, unknown>>(
    'select * from installations where team_id = ?',
    places[0]?.teamId,
  );
  for (let n = 0; n < many; n += 1) {
    const copy = {
      ...row,
      id: `ins_copy${n}`,
      tenant: `team:TCOPY${n}`,
      team_id: `TCOPY${n}`,
      sealed_bot: null,
    };
    const names = Object.keys(copy);
    await database.change(
      `insert into installations (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
      ...Object.values(copy),
    );
  }
  return { ...stage, acme: places[0]?.teamId ?? '', globex: places[1]?.teamId ?? '' };
}

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`eachInstallation on ${engine}`, () => {
    it('eachInstallation visits each active team once across all pages, and at most the requested number of teams at a time', async (t) => {
      const { foyer } = await setTeams(t, engine, 230);
      const seen: (string | null)[] = [];
      let now = 0;
      let most = 0;
      const result = await foyer().eachInstallation(
        { status: 'active', concurrency: 5 },
        async ({ teamId }) => {
          now += 1;
          most = Math.max(most, now);
          await sleep(1);
          seen.push(teamId);
          now -= 1;
          if (teamId === 'TCOPY7' || teamId === 'TCOPY150') throw new Error('no such plan');
        },
      );
      assert.deepEqual(result, { done: 230, failed: 2 });
      assert.equal(new Set(seen).size, 232);
      assert.equal(seen.length, 232);
      assert.equal(most, 5);
      assert.deepEqual(await foyer().eachInstallation({ status: 'uninstalled' }, async () => null), {
        done: 1,
        failed: 0,
      });
    });
  });
}

it('eachInstallation delays only the team that Slack rate-limits', async (t) => {
  const { foyer, sandbox, acme, globex } = await setTeams(t, 'SQLite', 0);
  const failure = { type: 'status', status: 429, retryAfterSeconds: 1 } as const;
  sandbox.faults.add({ method: 'team.info', teamId: acme, times: 1, failure });
  const order: (string | null)[] = [];
  const startedAt = performance.now();
  const result = await foyer().eachInstallation({ status: 'active', concurrency: 1 }, async ({ teamId }) => {
    order.push(teamId);
    await (await foyer().slack({ teamId: teamId ?? '' })).team.info();
  });
  assert.deepEqual(result, { done: 2, failed: 0 });
  assert.equal(order.length, 3);
  assert.equal(order.at(-1), acme);
  assert.ok(order.slice(0, 2).includes(globex));
  assert.ok(performance.now() - startedAt >= 900, 'Slack asked to wait a second');

  sandbox.faults.add({ method: 'team.info', teamId: acme, times: 9, failure });
  const endless = await foyer().eachInstallation({ status: 'active' }, async ({ teamId }) =>
    (await foyer().slack({ teamId: teamId ?? '' })).team.info(),
  );
  assert.deepEqual(endless, { done: 1, failed: 1 });
});

it('eachInstallation visits no further team once it is aborted, and refuses an invalid concurrency', async (t) => {
  const { foyer } = await setTeams(t, 'SQLite', 20);
  const abort = new AbortController();
  let count = 0;
  const work = foyer().eachInstallation({ concurrency: 2, signal: abort.signal }, async () => {
    count += 1;
    if (count === 4) abort.abort(new Error('the job is over'));
  });
  await assert.rejects(work, /the job is over/);
  assert.ok(count <= 6, `${count}`);
  await assert.rejects(
    foyer().eachInstallation({ concurrency: 0 }, async () => null),
    TypeError,
  );
});
