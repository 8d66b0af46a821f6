import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { createLogger } from '../../../src/config/log.ts';
import {
  claimDueRuns,
  findHeldRuns,
  holdLease,
  type RunLease,
  readClaimedRun,
  releaseDeadLeases,
  renewLeases,
} from '../../../src/database/run-leases.ts';
import { createRun, prepareNextDueAt, restRun, resumeWaitingRuns } from '../../../src/database/runs.ts';
import { createInstallationStore } from '../../../src/installations/create-installation-store.ts';
import { readQueueState } from '../../../src/operator/queue-state.ts';
import { keyringOf, teamInstall } from '../../support/installations.ts';
import { engines, openPostgresTestDatabase, type TestDatabase } from '../../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../../support/strangers.ts';
import { recordQueries } from '../plans/record-queries.ts';

const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });
const claim = { clientId: '1.1', limit: 10, now: 5000, leaseUntil: 35_000, owner: 'a:1:x/1' };

/** Queues `count` runs, each due a millisecond after the one before. */
async function queueRuns({ database }: TestDatabase, count: number): Promise<string[]> {
  const store = createInstallationStore({
    ...{ database, keyring: keyringOf('k1'), clientId: '1.1', stepNames: ['only'], now: () => 1000, log },
  });
  const { installationId, life, runId } = await store.recordInstall(teamInstall({}));
  const run = { installationId, life, userId: 'U1', stepNames: ['only'] };
  const ids = [runId];
  for (let index = 1; index < count; index += 1) {
    ids.push(await database.write((transaction) => createRun(transaction, { ...run, now: 1000 + index })));
  }
  return ids;
}

for (const [name, open] of Object.entries(engines)) {
  test(`exactly one worker claims each due run, and the longest overdue runs go first, on ${name}`, async (t) => {
    const opened = await open();
    t.after(() => opened.close());
    const queued = await queueRuns(opened, 40);
    const workers = [opened.database, await opened.reopen(), await opened.reopen()];
    const first = await claimDueRuns(opened.database, { ...claim, limit: 3 });
    assert.deepEqual(first.map((lease) => lease.runId).sort(), queued.slice(0, 3).sort());
    const leases = [...first];
    for (let round = 0; leases.length < queued.length && round < 20; round += 1) {
      const claims = workers.map((database, index) =>
        claimDueRuns(database, { ...claim, limit: 4, owner: `w${index}:1:x/${round}` }),
      );
      const claimed = await Promise.all(claims);
      assert.ok(claimed.every((some) => some.length <= 4));
      leases.push(...claimed.flat());
    }
    assert.deepEqual(leases.map((lease) => lease.runId).sort(), [...queued].sort());
    assert.equal((await findHeldRuns(opened.database.queries, leases)).length, queued.length);
    assert.deepEqual(await claimDueRuns(opened.database, claim), [], 'all of them are leased');
    const lapsed = { ...claim, now: 40_000, leaseUntil: 70_000, limit: 100, owner: 'b:1:y/1' };
    assert.equal(
      (await claimDueRuns(opened.database, lapsed)).length,
      queued.length,
      'their leases have expired',
    );
    assert.deepEqual(
      await findHeldRuns(opened.database.queries, leases),
      [],
      'the former owners have lost them',
    );
    await opened.database.write(async (transaction) => {
      for (const lease of first) {
        assert.equal(await holdLease(transaction, lease), false);
        assert.equal(await readClaimedRun(transaction, lease), undefined);
      }
    });
  });
}

test('on SQLite, claiming runs reads only runs that are due, and resuming runs after an event reads only runs that wait for that event', async (t) => {
  const opened = await engines.SQLite();
  t.after(() => opened.close());
  const { database, recorded } = recordQueries(opened.database);
  await claimDueRuns(database, claim);
  const resume = { installationId: 'ins_1', event: 'team_access_granted', now: 5000 };
  await database.write((transaction) => resumeWaitingRuns(transaction, resume));
  const plans: string[] = [];
  for (const { query } of recorded()) {
    const explain = { ...query, sql: `explain query plan ${query.sql}` };
    const { rows } = await opened.database.queries.executeQuery<{ detail: string }>(explain);
    plans.push(rows.map(({ detail }) => detail).join('; '));
  }
  assert.equal(plans.length, 2);
  assert.match(plans[0] ?? '', /INDEX runs_due \(due_at<\?\)/);
  assert.match(plans[1] ?? '', /INDEX runs_waiting \(installation_id=\? AND waiting_for=\?\)/);
  assert.doesNotMatch(plans.join(), /TEMP B-TREE|runs_by_status/);
});

test('on Postgres, a worker does not wait for a run that another worker is claiming, and claims the other runs', async (t) => {
  const opened = await openPostgresTestDatabase();
  t.after(() => opened.close());
  const [locked = '', ...free] = await queueRuns(opened, 3);
  const held = Promise.withResolvers<void>();
  const hasLocked = Promise.withResolvers<void>();
  const locking = opened.database.queries.transaction().execute(async (transaction) => {
    await sql`select 1 from runs where id = ${locked} for update`.execute(transaction);
    hasLocked.resolve();
    await held.promise;
  });
  await hasLocked.promise;
  const leases = await claimDueRuns(await opened.reopen(), claim);
  assert.deepEqual(leases.map((lease) => lease.runId).sort(), free.sort());
  held.resolve();
  await locking;
});

test('on Postgres, a transaction that holds a run’s lease or has read a claimed run keeps that run’s row locked', async (t) => {
  const opened = await openPostgresTestDatabase();
  t.after(() => opened.close());
  await queueRuns(opened, 2);
  const [held, read] = await claimDueRuns(opened.database, claim);
  assert.ok(held && read);
  const other = (await opened.reopen()).queries;
  const isFree = async ({ runId }: RunLease): Promise<boolean> => {
    const found = other.selectFrom('runs').select('id').where('id', '=', runId).forNoKeyUpdate().skipLocked();
    return (await found.execute()).length > 0;
  };
  await opened.database.write(async (transaction) => {
    assert.equal(await holdLease(transaction, held), true);
    assert.equal((await readClaimedRun(transaction, read))?.run.id, read.runId);
    assert.deepEqual([await isFree(held), await isFree(read)], [false, false]);
  });
  assert.deepEqual([await isFree(held), await isFree(read)], [true, true]);
});

for (const [name, open] of Object.entries(engines)) {
  test(`a worker claims only runs of its own app, even if runs of another app are due earlier, on ${name}`, async (t) => {
    const opened = await open();
    t.after(() => opened.close());
    const [runId] = await queueRuns(opened, 1);
    // Two other apps share the database. The app with client id 3.3 has a run that is due; the app with client id 2.2
    // has no run.
    const other = { mark: 'OTHER', clientId: '3.3', teamId: 'T1', enterpriseId: null, grantsOf: 'E1' };
    await opened.database.write(async (tx) => {
      await insertTenant(tx, { ...other, dueAt: 100, madeAt: 100 }, ['U1', 'U2'], keyringOf('k1'));
      const idle = { ...other, mark: 'IDLE', clientId: '2.2', dueAt: 100, madeAt: 100 };
      await insertTenant(tx, idle, ['U1', 'U2'], keyringOf('k1'));
      await tx.deleteFrom('runs').where('installation_id', '=', 'ins_IDLE').execute();
    });
    assert.deepEqual(await claimDueRuns(opened.database, { ...claim, clientId: '2.2' }), []);
    assert.equal(await prepareNextDueAt(opened.database, '2.2')(), undefined);
    assert.equal(await prepareNextDueAt(opened.database, '1.1')(), 1000);
    assert.equal((await readQueueState(opened.database.queries, { clientId: '2.2', now: 5000 })).due, 0);
    assert.equal((await readQueueState(opened.database.queries, { clientId: '1.1', now: 5000 })).due, 1);
    assert.deepEqual(
      (await claimDueRuns(opened.database, claim)).map((lease) => lease.runId),
      [runId],
    );
  });
}

for (const [name, open] of Object.entries(engines)) {
  test(`a lease is valid only for its own run and its own claim, on ${name}`, async (t) => {
    const opened = await open();
    t.after(() => opened.close());
    const { database } = opened;
    const strangers = await inviteStrangers(database);
    await queueRuns(opened, 3);
    const [installation] = await ownRows(database, 'installations');
    const [first, second, third] = await claimDueRuns(database, claim);
    assert.ok(installation && first && second && third);
    await database.write(async (tx) => {
      await restRun(tx, first.runId, { status: 'waiting', dueAt: null, waitingFor: 'an answer' });
      assert.equal(await holdLease(tx, first), false, 'the other runs of the claim do not hold it');
      assert.equal(await readClaimedRun(tx, first), undefined);
      assert.equal(await holdLease(tx, second), true);
      const read = await readClaimedRun(tx, second);
      assert.deepEqual([read?.run.id, read?.installation.id], [second.runId, installation.id]);
      assert.deepEqual(
        read?.steps.map((step) => step.run_id),
        [second.runId],
      );
    });
    const lost = { ...third, owner: 'another:1:x/1' };
    for (const [leases, held] of [
      [[lost], []],
      [[first, second], [second]],
    ] as const) {
      assert.deepEqual(await findHeldRuns(database.queries, leases), held);
      assert.deepEqual(await renewLeases(database, { leases, leaseUntil: 99_000 }), held);
    }
    assert.deepEqual(
      (await ownRows(database, 'runs')).filter((run) => run.lease_until === 99_000).map(({ id }) => id),
      [second.runId],
    );
    // Just before a dead worker's runs are released, another worker claims one of these runs.
    const isDead = (owner: string) => owner === claim.owner;
    const meanwhile = {
      ...database,
      async write(work: Parameters<typeof database.write>[0]) {
        const taken = { ...claim, now: 50_000, leaseUntil: 90_000, limit: 1, owner: 'another:1:x/2' };
        assert.deepEqual(
          (await claimDueRuns(database, taken)).map(({ runId }) => runId),
          [third.runId],
        );
        return database.write(work);
      },
    } as typeof database;
    assert.deepEqual(await releaseDeadLeases(meanwhile, { isDead, now: 6000 }), [second.runId]);
    await strangers.assertUntouched();
  });

  test(`Foyer releases all runs of a dead worker, on ${name}`, async (t) => {
    const opened = await open();
    t.after(() => opened.close());
    const queued = await queueRuns(opened, 2);
    await claimDueRuns(opened.database, claim);
    const released = await releaseDeadLeases(opened.database, { isDead: () => true, now: 6000 });
    assert.deepEqual(released.sort(), queued.sort());
  });

  test(`an uninstall run can read the steps of the last install run before the uninstall, on ${name}`, async (t) => {
    const opened = await open();
    t.after(() => opened.close());
    const { database } = opened;
    const strangers = await inviteStrangers(database);
    const [, newest] = await queueRuns(opened, 2);
    const [installation] = await ownRows(database, 'installations');
    assert.ok(installation && newest);
    const { id: installationId, life } = installation;
    const run = { installationId, userId: 'U1', now: 1000 };
    await database.write(async (tx) => {
      await createRun(tx, { ...run, pipeline: 'uninstall', life, stepNames: ['clean-up'] });
      await createRun(tx, { ...run, life: life + 1, stepNames: ['of the next life'] });
      await createRun(tx, { ...run, pipeline: 'uninstall', life, stepNames: ['clean-up'] });
    });
    const claimed = await claimDueRuns(database, claim);
    await database.write(async (tx) => {
      const uninstalls: (string | undefined)[][] = [];
      for (const lease of claimed) {
        const read = await readClaimedRun(tx, lease);
        if (read?.run.pipeline === 'uninstall') uninstalls.push(read.installSteps.map((step) => step.run_id));
        else assert.deepEqual(read?.installSteps, []);
      }
      assert.deepEqual(uninstalls, [[newest]]);
    });
    await strangers.assertUntouched();
  });
}
