import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Queries } from '../../../src/database/database.ts';
import { countHeld } from '../../../src/operator/kept-counts.ts';
import { readQueueState } from '../../../src/operator/queue-state.ts';
import { countRequestsByDay, listInstallRequests } from '../../../src/operator/request-lists.ts';
import { storeInstallation } from '../../operator/operator-harness.ts';
import { openTestDatabase } from '../../support/open-test-database.ts';
import { recordQueries } from './record-queries.ts';

/** Returns SQLite's plan for the query of `read`, which must execute exactly one query. */
async function planOf(t: TestContext, read: (queries: Queries) => Promise<unknown>): Promise<string> {
  const { database, close } = await openTestDatabase();
  t.after(close);
  const record = recordQueries(database);
  await read(record.database.queries);
  const [query, ...others] = record.recorded().map((each) => each.query);
  assert.ok(query && others.length === 0);
  const { rows } = await database.queries.executeQuery<{ detail: string }>({
    ...query,
    sql: `explain query plan ${query.sql}`,
  });
  return rows.map(({ detail }) => detail).join('\n');
}

test('a team’s install requests are looked up by the team’s id, without a search through all install requests', async (t) => {
  const plan = await planOf(t, (queries) =>
    listInstallRequests(queries, { clientId: '1.2', teamId: 'T1', limit: 51 }),
  );
  assert.match(plan, /install_requests_by_team_id/);
  assert.doesNotMatch(plan, /install_requests_by_time/);
});

test('held installations are counted without reading each broken installation', async (t) => {
  assert.match(await planOf(t, (queries) => countHeld(queries, '1.2')), /COVERING INDEX installations_held/);
});

test('install requests are counted by day from an index alone, without sorting', async (t) => {
  const plan = await planOf(t, (queries) =>
    countRequestsByDay(queries, { clientId: '1.2', days: 30, now: Date.now() }),
  );
  assert.match(plan, /COVERING INDEX install_requests_by_outcome .*started_at>\? AND started_at<\?/);
  assert.doesNotMatch(plan, /TEMP B-TREE/);
});

test('the queue is counted without reading each run’s installation if no other app shares the database', async (t) => {
  const { database, close } = await openTestDatabase();
  t.after(close);
  await storeInstallation(database, { id: 'ins_1' });
  const looksUp = async () => {
    const record = recordQueries(database);
    await readQueueState(record.database.queries, { clientId: '1.2', now: 1 });
    const ofRuns = record.recorded().filter(({ query }) => query.sql.includes('from "runs"'));
    assert.equal(ofRuns.length, 3);
    return ofRuns.filter(({ query }) => query.sql.includes('"installations"')).length;
  };
  assert.equal(await looksUp(), 0);
  await storeInstallation(database, { id: 'ins_2', team_id: 'T2', client_id: '0.9' });
  assert.equal(await looksUp(), 3);
});
