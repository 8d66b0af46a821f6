import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { commitConnection, connectByHand } from '../../src/connections/commit-connection.ts';
import { deleteConnections } from '../../src/database/connections.ts';
import type { Database, Tx } from '../../src/database/database.ts';
import { keyringOf } from '../support/installations.ts';
import { isWaitedFor } from '../support/is-waited-for.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

const clientId = '1.1';
const same = { clientId, enterpriseId: null, grantsOf: 'E1', dueAt: 3000, madeAt: 1000 };

/** Adds two workspaces, each connected to org-1. */
async function addTenants(database: Database): Promise<void> {
  await database.write(async (tx) => {
    await insertTenant(tx, { ...same, mark: 'OWN', teamId: 'T1' }, ['U1', 'U2'], keyringOf('k1'));
    await insertTenant(tx, { ...same, mark: 'NEXT', teamId: 'T2' }, ['U1', 'U2'], keyringOf('k1'));
  });
}

const byHand = (tx: Tx, org: string, move = false) =>
  connectByHand(tx, {
    ...{ installationId: 'ins_OWN', account: { org, subject: null, label: null } },
    ...{ move, now: 5000 },
  });

for (const [engine, open] of Object.entries(engines)) {
  async function setUp(t: TestContext) {
    const { database, close } = await open();
    const strangers = await inviteStrangers(database, { clientId });
    t.after(() => strangers.assertUntouched().finally(close));
    await addTenants(database);
    const accounts = async () =>
      (await ownRows(database, 'connections')).map((row) => `${row.installation_id} ${row.org}`).sort();
    const lines = async () =>
      (await ownRows(database, 'history'))
        .filter(({ kind }) => /connected/.test(kind))
        .map((row) => `${row.installation_id} ${row.kind} ${row.detail}`)
        .sort();
    return { database, accounts, lines };
  }

  describe(`a change of a workspace’s account, on ${engine}`, () => {
    it('when an operator connects a workspace to another account, Foyer records the change in the workspace’s history once', async (t) => {
      const { database, accounts, lines } = await setUp(t);
      const connect = (org: string, move = false) => database.write((tx) => byHand(tx, org, move));
      assert.equal(await connect('org-1'), 'kept');
      assert.equal(await connect('org-2'), 'other');
      assert.deepEqual([await accounts(), await lines()], [['ins_NEXT org-1', 'ins_OWN org-1'], []]);
      assert.equal(await connect('org-2', true), 'connected');
      assert.deepEqual(await accounts(), ['ins_NEXT org-1', 'ins_OWN org-2']);
      assert.deepEqual(await lines(), ['ins_OWN connected org-2', 'ins_OWN disconnected org-1']);
    });

    it('when a link connects a workspace to another account, Foyer records the change in the workspace’s history once', async (t) => {
      const { database, accounts, lines } = await setUp(t);
      const connect = (org: string, rule: 'share' | 'move') =>
        database.write((tx) =>
          commitConnection(tx, {
            ...{ clientId, installationId: 'ins_OWN', runId: 'run_OWN1', userId: 'U1', now: 5000 },
            ...{ progressHash: 'hash', isNewLife: false, confirmedMove: true, rule },
            link: { org, jti: crypto.randomUUID() },
          }),
        );
      await connect('org-1', 'share');
      assert.deepEqual([await accounts(), await lines()], [['ins_NEXT org-1', 'ins_OWN org-1'], []]);
      await connect('org-2', 'share');
      await connect('org-2', 'share');
      assert.deepEqual(await accounts(), ['ins_NEXT org-1', 'ins_OWN org-1', 'ins_OWN org-2']);
      assert.deepEqual(await lines(), ['ins_OWN connected org-2']);
      await connect('org-2', 'move');
      assert.deepEqual(await accounts(), ['ins_NEXT org-1', 'ins_OWN org-2']);
      assert.deepEqual(await lines(), ['ins_OWN connected org-2', 'ins_OWN disconnected org-1']);
    });
  });
}

it('if two operators connect a workspace to different accounts at the same time on Postgres, the second waits for the first and is refused', async (t) => {
  const { database, reopen, close } = await engines.Postgres();
  t.after(close);
  await addTenants(database);
  await database.write((tx) => deleteConnections(tx, ['con_OWN']));
  const [other, looking] = [await reopen(), await reopen()];
  let second: ReturnType<typeof connectByHand> | undefined;
  await database.write(async (tx) => {
    assert.equal(await byHand(tx, 'org-1'), 'connected');
    second = other.write((theirs) => byHand(theirs, 'org-2'));
    await Promise.race([second, isWaitedFor(looking)]);
  });
  assert.equal(await second, 'other');
});
