import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQueueState } from '../../../src/operator/queue-state.ts';
import { listInstallRequests } from '../../../src/operator/request-lists.ts';
import { storeInstallation } from '../../operator/operator-harness.ts';
import { openTestDatabase } from '../../support/open-test-database.ts';
import { recordQueries } from './record-queries.ts';

test('the requests of a team are looked up by their ids, and not looked for among all of the app’s', async (t) => {
  const { database, close } = await openTestDatabase();
  t.after(close);
  const record = recordQueries(database);
  await listInstallRequests(record.database.queries, { clientId: '1.2', teamId: 'T1', limit: 51 });
  const [query] = record.recorded().map((each) => each.query);
  assert.ok(query);
  const { rows } = await database.queries.executeQuery<{ detail: string }>({
    ...query,
    sql: `explain query plan ${query.sql}`,
  });
  const plan = rows.map(({ detail }) => detail).join('\n');
  assert.match(plan, /install_requests_by_team_id/);
  assert.doesNotMatch(plan, /install_requests_by_time/);
});

test('the queue is counted without a look at each run’s installation, unless another app shares the database', async (t) => {
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
