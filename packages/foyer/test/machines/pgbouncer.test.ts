import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createVisitor, finishedRun, pressAddToSlack } from '../../src/testing/visitor.ts';
import { heldTokens, liveTokens } from '../faults/support/tokens.ts';
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import { setMachines } from './support/set-machines.ts';

it('two machines work through PgBouncer in transaction mode, with fewer connections than they ask for', async (t) => {
  if (!(await hasPgBouncer())) return t.skip('PgBouncer is not installed (apt-get install pgbouncer)');
  // The database is empty, so that the migrations go through PgBouncer as well.
  const { url, drop } = await createPostgresDatabase({ empty: true });
  t.after(drop);
  const machines = await setMachines({ postgresUrl: await startPgBouncer(t, url) });
  t.after(() => machines.close());
  const { a, b, sandbox, database, webhook } = machines;

  const places = await Promise.all(
    Array.from({ length: 6 }, async (_, n) => {
      const { id: teamId } = sandbox.addWorkspace({ name: `Through a pool ${n}` });
      const place = { teamId, userId: sandbox.person(teamId, 'owner').id };
      const visitor = createVisitor();
      const callback = new URL(await pressAddToSlack(visitor, n % 2 ? a.url : b.url, sandbox, place));
      const done = await visitor.get((n % 2 ? b.url : a.url) + callback.pathname + callback.search);
      assert.equal(done.status, 303);
      const run = await finishedRun(visitor, a.url + done.headers.get('location'), 90_000);
      assert.equal(run.status, 'succeeded');
      assert.equal(sandbox.messages(place).length, 1);
      return place;
    }),
  );
  assert.equal(webhook.posted.length, places.length);
  assert.deepEqual(liveTokens(sandbox).sort(), (await heldTokens(a.config)).sort());

  for (const [n, { teamId }] of places.entries()) {
    machines.sendTo(n % 2 ? a : b);
    for (const delivery of await sandbox.uninstall({ teamId })) assert.equal(delivery?.status, 200);
  }
  const left = await database.rows("select id from installations where status <> 'uninstalled'");
  assert.deepEqual(left, []);
  for (const machine of [a, b]) {
    const faults = machine.logged().filter((line) => /"level":(50|60)/.test(line));
    assert.deepEqual(faults, []);
    assert.equal((await fetch(`${machine.url}/readyz`)).status, 200);
  }
});
