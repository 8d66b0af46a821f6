import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineFoyer } from '../../src/index.ts';
import { eventually } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { commandOnStage } from './command-on-stage.ts';
import { prepareDoctor } from './doctor-harness.ts';
import { createOperatorHarness, installedAt, testOnBothEngines } from './operator-harness.ts';
import { setOperatorStage } from './pages/operator-stage.ts';

const hour = 3_600_000;
const jobs = ['bill', 'report', 'sweep'].map((name) => ({ name, everyMs: hour }));
const definition = { options: [], install: [], uninstall: [], jobs };

/** The rows of four jobs, as the job runner would have written them. */
function turns(clientId: string, now: number) {
  const thisHour = Math.floor(now / hour) * hour;
  const row = (name: string) => ({
    name: `job ${clientId}/${name}`,
    begun_at: thisHour,
    machine: 'web-1 42',
  });
  const ended = { started_at: now - 60_000, ended_at: now - 58_000, took_ms: 2000 };
  return [
    { ...row('bill'), ...ended, outcome: 'failed' as const, error_code: 'channel_not_found' },
    { ...row('report'), ...ended, outcome: 'succeeded' as const, error_code: null },
    { ...row('gone'), begun_at: hour, ...ended, outcome: 'failed' as const, error_code: 'TypeError' },
    { ...row('sweep'), begun_at: thisHour - 3 * hour, started_at: now - 3 * hour, leased_until: now - hour },
  ];
}

testOnBothEngines(
  '`jobs` lists the newest turn of each job, with removed jobs at the end',
  async (t, engine) => {
    const { run, database } = await createOperatorHarness(t, {}, engine);
    const list = (...options: string[]) => run(['jobs', ...options], { definition });
    await database.queries.insertInto('chores').values(turns('1.2', installedAt)).execute();
    const { stdout, stderr, exitCode } = await list('--json');
    assert.deepEqual([exitCode, stderr], [0, '']);
    const [bill, report, sweep, gone, ...more] = JSON.parse(stdout);
    assert.equal(more.length, 0);
    assert.deepEqual(bill, {
      ...{ name: 'bill', everyMs: hour, status: 'failed', outcome: 'failed', error: 'channel_not_found' },
      ...{ startedAt: '2026-11-22T01:46:03.000Z', tookMs: 2000, machine: 'web-1 42' },
      nextDueAt: '2026-11-22T02:00:00.000Z',
    });
    assert.deepEqual([report.status, report.error], ['succeeded', null]);
    assert.deepEqual(
      [sweep.status, sweep.outcome, sweep.tookMs, sweep.nextDueAt],
      ['overdue', 'interrupted', null, '2026-11-21T23:00:00.000Z'],
    );
    assert.deepEqual([gone.name, gone.status, gone.everyMs, gone.nextDueAt], ['gone', 'removed', null, null]);
    const lines = (await list()).stdout.trim().split('\n');
    assert.match(lines[0] ?? '', /^JOB +STATUS +EVERY +STARTED +TOOK +NEXT +MACHINE +ERROR$/);
    assert.match(
      lines[1] ?? '',
      /^bill +failed +60 min +2026-11-22 01:46:03Z +2\.0 s +2026-11-22 02:00:00Z +web-1 42 +channel_not_found$/,
    );
    assert.match(lines[4] ?? '', /^gone +removed +- /);
    const none = { ...definition, jobs: [] };
    await database.queries.deleteFrom('chores').execute();
    assert.match((await run(['jobs'], { definition: none })).stdout, /The definition has no jobs/);
    assert.equal((await run(['jobs', '--json'], { definition: none })).stdout, '[]\n');
  },
);

testOnBothEngines('doctor names the jobs that failed, were interrupted or are overdue', async (t, engine) => {
  const { database, sandbox, doctor } = await prepareDoctor(t, engine);
  const now = Date.now();
  const jobsFinding = async (of = definition) => {
    const { findings } = await doctor([], () => now, { definition: of });
    return findings.find(({ check }) => check === 'jobs');
  };
  await database.queries.insertInto('chores').values(turns(sandbox.app.clientId, now)).execute();
  const found = await jobsFinding();
  assert.equal(found?.status, 'warning');
  assert.match(
    found.detail,
    /^bill failed 60 s ago with channel_not_found; sweep is overdue by \d+ (?:h|min) and was interrupted 3 h ago: no outcome was recorded\.$/,
  );
  assert.match(found.fix ?? '', /Start Foyer .*npm start.*foyer\.drain/);
  const one = await jobsFinding({ ...definition, jobs: jobs.slice(0, 2) });
  assert.match(one?.fix ?? '', /the log has the error.*foyer -- jobs/);
  assert.equal((await jobsFinding({ ...definition, jobs: jobs.slice(1, 2) }))?.status, 'ok');
  assert.equal((await jobsFinding({ ...definition, jobs: [] }))?.status, 'ok');
});

for (const engine of ['SQLite', 'Postgres'] as const)
  test(`a running Foyer shows its jobs on the operator overview and in the metrics (${engine})`, async (t) => {
    let fails = true;
    const own = defineFoyer({
      manifest: JSON.parse(fixtureManifest),
      jobs: [
        { name: 'calm', everyMs: 366 * 24 * hour, run: async () => null },
        {
          name: 'flaky',
          everyMs: 1000,
          async run() {
            if (fails) throw new TypeError('<b>secret</b>');
          },
        },
      ],
    });
    const stage = await setOperatorStage({ engine, foyer: { definition: own } });
    t.after(() => stage.close());
    await stage.logIn();
    const troubled = async () =>
      /^foyer_jobs_troubled (\d+)$/m.exec(await (await fetch(`${stage.url}/metrics`)).text())?.[1];
    const overview = async () => (await stage.get('/operator')).text();
    await eventually(async () => (await troubled()) === '1');
    const page = await overview();
    assert.match(
      page,
      /1 job needs attention[\s\S]*flaky[\s\S]*The last turn failed: <code>TypeError<\/code>/,
    );
    assert.doesNotMatch(page, /secret/);
    const [, table = ''] = page.split('<h2 id="jobs">');
    assert.ok(table.indexOf('flaky') < table.indexOf('calm'), 'problems first');
    fails = false;
    await eventually(async () => (await troubled()) === '0');
    assert.match(await overview(), /Nothing needs attention[\s\S]*<h2 id="jobs">Jobs/);
    const { stdout } = await commandOnStage({ ...stage, database: undefined as never }, ['jobs', '--json'], {
      definition: { ...definition, jobs: [{ name: 'calm', everyMs: 366 * 24 * hour }] },
    });
    const [calm, flaky] = JSON.parse(stdout);
    assert.deepEqual([calm.status, calm.machine.endsWith(` ${process.pid}`)], ['succeeded', true]);
    assert.equal(flaky.status, 'removed');
  });
