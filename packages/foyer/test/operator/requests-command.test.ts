import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { createOperatorHarness, storeRequest, testOnBothEngines } from './operator-harness.ts';

const hourMs = 3_600_000;
const midnight = Date.UTC(2026, 10, 22);

testOnBothEngines(
  '`requests --json` prints this app’s install requests, newest first, without page hashes or encrypted tokens',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeRequest(database, { id: 'one', started_at: midnight, sealed_tokens: 'v1.main.sealed' });
    const installed = { team_id: 'T1', team_name: 'Acme', user_id: 'U1', run_id: 'run_1', error_code: null };
    await storeRequest(database, { id: 'two', started_at: midnight + 1, outcome: 'installed', ...installed });
    await storeRequest(database, { id: 'another app’s', client_id: 'another' });
    const { exitCode, stdout } = await run(['requests', '--json']);
    assert.equal(exitCode, 0);
    assert.deepEqual(JSON.parse(stdout), [
      {
        id: 'two',
        startedAt: '2026-11-22T00:00:00.001Z',
        finishedAt: '2026-11-22T01:47:03.900Z',
        outcome: 'installed',
        error: null,
        requestedTeamId: null,
        teamId: 'T1',
        teamName: 'Acme',
        enterpriseId: null,
        userId: 'U1',
        runId: 'run_1',
      },
      {
        id: 'one',
        startedAt: '2026-11-22T00:00:00.000Z',
        finishedAt: '2026-11-22T01:47:03.900Z',
        outcome: 'failed',
        error: 'slack_unreachable',
        requestedTeamId: null,
        teamId: null,
        teamName: null,
        enterpriseId: null,
        userId: null,
        runId: null,
      },
    ]);
    for (const { stdout: printed } of [await run(['requests']), { stdout }]) {
      assert.doesNotMatch(printed, /hash-of|sealed/);
    }
  },
);

testOnBothEngines('`requests` filters by day, team and outcome, and limits its rows', async (t, engine) => {
  const { database, run } = await createOperatorHarness(t, {}, engine);
  await storeRequest(database, { id: 'before', started_at: midnight - 1 });
  await storeRequest(database, { id: 'first', started_at: midnight, requested_team_id: 'T1' });
  await storeRequest(database, { id: 'last', started_at: midnight + 24 * hourMs - 1, outcome: 'cancelled' });
  await storeRequest(database, { id: 'after', started_at: midnight + 24 * hourMs, enterprise_id: 'E1' });
  const ids = async (...options: string[]) =>
    JSON.parse((await run(['requests', '--json', ...options])).stdout).map((one: { id: string }) => one.id);
  assert.deepEqual(await ids('--day', '2026-11-22'), ['last', 'first']);
  assert.deepEqual(await ids('--team', 'T1'), ['first']);
  assert.deepEqual(await ids('--team', 'E1'), ['after']);
  const named = await run(['requests', '--team', 'acme']);
  assert.equal(named.exitCode, 2);
  assert.match(named.stderr, /Give an id such as T0123ABCD, not a name/);
  assert.deepEqual(await ids('--outcome', 'cancelled'), ['last']);
  assert.deepEqual(await ids('--limit', '2'), ['after', 'last']);
  assert.deepEqual(await ids('--day', '2026-11-22', '--outcome', 'installed'), []);
  const cut = await run(['requests', '--limit', '2']);
  assert.equal(cut.stdout.trimEnd().split('\n').length, 3);
  assert.match(cut.stderr, /newest 2/);
});

testOnBothEngines('`requests` lists more requests than one query accepts values', async (t, engine) => {
  const { database, run } = await createOperatorHarness(t, {}, engine);
  await storeRequest(database, { id: 'first', team_id: 'T1', user_id: 'U1' });
  await sql`
    insert into install_requests (id, client_id, progress_hash, outcome, started_at, team_id, user_id)
      with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 33000)
      select 'req_' || n, client_id, 'hash ' || n, outcome, started_at, team_id, 'U' || n
        from numbers, install_requests where id = 'first'`.execute(database.queries);
  await database.queries
    .insertInto('users')
    .values({
      client_id: '1.2',
      team_id: 'T1',
      user_id: 'U33000',
      name: 'grace',
      first_seen_at: 1,
      updated_at: 1,
    })
    .execute();
  const { exitCode, stdout, stderr } = await run(['requests', '--limit', '40000']);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, / grace \(U33000\) /);
});
