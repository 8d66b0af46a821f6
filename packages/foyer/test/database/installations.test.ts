import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Updateable } from 'kysely';
import type { Tx } from '../../src/database/database.ts';
import {
  addInstallation,
  findAppId,
  findGrantedTeams,
  findInstallsAndRemovals,
  findWitnesses,
  inactiveCode,
  listHeldInstallations,
  lockInstallation,
  markInstallationBroken,
  markInstallationWorking,
  purgeKey,
  readStandings,
  readStatuses,
  recordTeamAccess,
} from '../../src/database/installations.ts';
import type { InstallationRow, Tables } from '../../src/database/records.ts';
import { keyringOf } from '../support/installations.ts';
import { isWaitedFor } from '../support/is-waited-for.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';
import type { Tenant } from '../support/tenant-rows.ts';

const clientId = '1.1';
const same = { clientId, teamId: 'T1', enterpriseId: null, grantsOf: 'E1', dueAt: 3000, madeAt: 1000 };
const tenants = [
  { mark: 'OWN', enterpriseId: 'E1' },
  { mark: 'NEXT', teamId: 'T2' },
  { mark: 'ORG', teamId: null, enterpriseId: 'E1' },
] as const;

for (const [engine, open] of Object.entries(engines)) {
  async function setUp(t: TestContext) {
    const { database, close } = await open();
    const strangers = await inviteStrangers(database, { clientId });
    t.after(() => strangers.assertUntouched().finally(close));
    const add = (tenant: Partial<Tenant> & { mark: string }) =>
      database.write((tx) => insertTenant(tx, { ...same, ...tenant }, ['U1', 'U2'], keyringOf('k1')));
    for (const tenant of tenants) await add(tenant);
    const change = (mark: string, state: Updateable<Tables['installations']>) =>
      database.queries.updateTable('installations').set(state).where('id', '=', `ins_${mark}`).execute();
    const states = async () =>
      (await ownRows(database, 'installations'))
        .map(({ id, status, broken_reason }) => `${id} ${status} ${broken_reason}`)
        .sort();
    return { database, add, change, states };
  }

  describe(`installations of several tenants never mix, on ${engine}`, () => {
    it('an app has at most one installation for each tenant', async (t) => {
      const { database } = await setUp(t);
      const [row] = await ownRows(database, 'installations');
      assert.ok(row);
      const { refresh_owner: _, refresh_until: __, ...known } = row;
      const add = (wish: Partial<InstallationRow>) =>
        database.write((tx) => addInstallation(tx, { ...known, ...wish }));
      const before = await ownRows(database, 'installations');
      assert.equal(await add({ id: 'ins_OWN_2' }), false);
      assert.deepEqual(await ownRows(database, 'installations'), before);
      assert.equal(await add({ id: 'ins_OWN_3', tenant: 'team:T9' }), true);
      assert.equal(await add({ id: 'ins_OWN_4', client_id: '2.2' }), true);
    });

    it('only an active installation that Slack calls inactive becomes held, and a mark for another version of its tokens changes nothing', async (t) => {
      const { database, change, states } = await setUp(t);
      const held = `broken ${inactiveCode}`;
      const broken = (installationId: string, reason: string, ifVersion?: number) =>
        database.write((tx) => markInstallationBroken(tx, { installationId, reason, ifVersion }));
      const working = (installationId: string, ifVersion: number) =>
        database.write((tx) => markInstallationWorking(tx, { installationId, ifVersion }));
      await change('NEXT', { version: 2 });
      assert.equal(await broken('ins_OWN', inactiveCode, 1), true);
      assert.equal(await broken('ins_OWN', inactiveCode, 1), false, 'it is held already');
      assert.equal(await broken('ins_NEXT', inactiveCode, 1), false, 'of an older version');
      assert.equal(await broken('ins_NEXT', 'token_revoked', 2), true);
      assert.equal(await broken('ins_NEXT', inactiveCode), false, 'it is broken for another reason');
      const list = () => listHeldInstallations(database.queries, { clientId, limit: 9 });
      assert.deepEqual(await list(), ['ins_OWN']);
      assert.equal(await working('ins_NEXT', 2), false, 'it was not held');
      assert.equal(await working('ins_OWN', 2), false, 'it is of another version');
      const org = 'ins_ORG active null';
      assert.deepEqual(await states(), ['ins_NEXT broken token_revoked', org, `ins_OWN ${held}`]);
      assert.equal(await broken('ins_ORG', inactiveCode), true);
      assert.equal((await listHeldInstallations(database.queries, { clientId, limit: 1 })).length, 1);
      assert.equal(await working('ins_OWN', 1), true);
      assert.equal(
        await broken('ins_ORG', 'token_revoked'),
        true,
        'a held one may be dead for another reason',
      );
      assert.deepEqual(await states(), [
        'ins_NEXT broken token_revoked',
        'ins_ORG broken token_revoked',
        'ins_OWN active null',
      ]);
    });

    it('an installation counts as proof of a working app only if the installation is active and its bot token has not expired', async (t) => {
      const { database, change } = await setUp(t);
      const find = (rest: { except?: string; limit?: number } = {}) =>
        findWitnesses(database.queries, { clientId, now: 2000, limit: 9, ...rest });
      // Two strangers each have an installation of this app. Both installations are newer than ours, and prove that the
      // app works.
      const strangers = ['ins_STRANGER_b', 'ins_STRANGER_a'];
      assert.deepEqual(await find(), strangers, 'the own ones have expired');
      await change('OWN', { bot_expires_at: 2001 });
      await change('NEXT', { bot_expires_at: 2000 });
      await change('ORG', { bot_expires_at: null, installed_at: 1001 });
      assert.deepEqual(await find(), [...strangers, 'ins_ORG', 'ins_OWN']);
      assert.deepEqual(await find({ limit: 3 }), [...strangers, 'ins_ORG']);
      assert.deepEqual(await find({ except: 'ins_ORG' }), [...strangers, 'ins_OWN']);
      await change('ORG', { bot_user_id: null });
      await change('OWN', { status: 'broken' });
      assert.deepEqual(await find(), strangers);
    });

    it('`findInstallsAndRemovals` returns only the installation’s own installs and removals, newest first', async (t) => {
      const { database } = await setUp(t);
      const line = { installation_id: 'ins_OWN', at: 2000, user_id: null, detail: null };
      await database.queries
        .insertInto('history')
        .values([
          { ...line, id: 'his_8_OWN', kind: 'token_works' },
          { ...line, id: 'his_9_OWN', kind: 'uninstalled' },
        ])
        .execute();
      const past = await findInstallsAndRemovals(database.queries, 'ins_OWN');
      const kinds = past.map(({ kind }) => kind);
      assert.deepEqual(kinds, ['uninstalled', 'reinstalled', 'uninstalled', 'installed']);
    });

    it('the newest grant or revocation for a workspace decides whether an org-wide install may use it', async (t) => {
      const { database } = await setUp(t);
      const workspace = { clientId, enterpriseId: 'E1', teamId: 'T7' };
      const record = (changed: Partial<Parameters<typeof recordTeamAccess>[1]>) =>
        database.write((tx) =>
          recordTeamAccess(tx, { ...workspace, granted: true, changedAt: 5000, ...changed }),
        );
      // Newer changes: one for another app, one for another organization, and one for another workspace.
      for (const other of [{ clientId: '2.2' }, { enterpriseId: 'E2' }, { teamId: 'T8' }])
        assert.equal(await record({ ...other, changedAt: 9000 }), true);
      assert.equal(await record({}), true);
      assert.equal(await record({}), false, 'it is a repeat');
      assert.equal(await record({ since: 5000 }), false, 'it is of this life');
      assert.equal(await record({ since: 5001 }), true, 'the grant that is known is of an earlier life');
      assert.equal(await record({ granted: false, changedAt: 4999 }), false, 'it is older');
      const granted = (since?: number) =>
        findGrantedTeams(database.queries, { clientId, enterpriseId: 'E1', since });
      assert.deepEqual(await granted(), ['TNEXT', 'TORG', 'TOWN', 'T7', 'T8']);
      assert.deepEqual(await granted(5000), ['T7', 'T8']);
      assert.deepEqual(await granted(5001), ['T8']);
      assert.equal(await record({ granted: false, since: 5001 }), true);
      assert.equal(await record({ granted: false, since: 5001 }), false, 'it had no access');
      assert.deepEqual(await granted(5000), ['T8']);
    });

    it('a tenant’s status is read only from this app’s rows about that tenant, and the app’s id is read only from this app’s installations', async (t) => {
      const { database, change, add } = await setUp(t);
      const { queries } = database;
      await add({ mark: 'OTHER', clientId: '2.2', teamId: 'T6', madeAt: 6e12 });
      await add({ mark: 'NEWEST', teamId: 'T7', madeAt: 5e12 });
      await change('OWN', { status: 'uninstalled', uninstalled_at: 2000 });
      await queries
        .insertInto('seen_deliveries')
        .values([
          { client_id: clientId, key: purgeKey('team:T3'), seen_at: 3000 },
          { client_id: clientId, key: purgeKey('team:T4'), seen_at: 4000 },
          { client_id: '2.2', key: purgeKey('team:T5'), seen_at: 5000 },
        ])
        .execute();
      const asked = { clientId, tenants: ['team:T1', 'team:T3', 'team:T5', 'team:T6'] };
      assert.deepEqual(
        [...(await readStandings(queries, asked))],
        [
          ['team:T3', { isKnown: false, endedAt: 3000 }],
          ['team:T1', { isKnown: true, endedAt: 2000 }],
        ],
      );
      assert.deepEqual([...(await readStatuses(queries, asked))], [['team:T1', 'uninstalled']]);
      await change('OTHER', { app_id: 'A6' });
      await change('NEWEST', { app_id: 'A7' });
      assert.equal(await findAppId(queries, clientId), 'A7');
      await change('NEWEST', { app_id: null });
      assert.equal(await findAppId(queries, clientId), 'A1');
      assert.equal(await findAppId(queries, '3.3'), undefined);
    });
  });
}

it('on Postgres, two transactions never change the same installation, or the access to the same workspace, at the same time', async (t) => {
  const { database, reopen, close } = await engines.Postgres();
  t.after(close);
  await database.write((tx) => insertTenant(tx, { ...same, ...tenants[0] }, ['U1', 'U2'], keyringOf('k1')));
  const looking = await reopen();
  const other = await reopen();
  /** Starts `work` when `first` is done but not committed; returns what `work` resolves to. */
  const meanwhile = async <Result>(
    first: (tx: Tx) => Promise<unknown>,
    work: (tx: Tx) => Promise<Result>,
  ): Promise<Result> => {
    let second: Promise<Result> | undefined;
    await database.write(async (tx) => {
      await first(tx);
      second = other.write(work);
      await Promise.race([second, isWaitedFor(looking)]);
    });
    assert.ok(second);
    return second;
  };
  const key = { clientId, tenant: 'team:T1' };
  const seen = await meanwhile(
    async (tx) => {
      await lockInstallation(tx, key);
      await markInstallationBroken(tx, { installationId: 'ins_OWN', reason: 'test' });
    },
    (tx) => lockInstallation(tx, key),
  );
  assert.equal(seen?.status, 'broken');
  for (const teamId of ['TOWN', 'a workspace without a row']) {
    const access = { clientId, enterpriseId: 'E1', teamId };
    const isNews = await meanwhile(
      (tx) => recordTeamAccess(tx, { ...access, granted: true, changedAt: 9000 }),
      (tx) => recordTeamAccess(tx, { ...access, granted: false, changedAt: 8000 }),
    );
    if (teamId === 'TOWN') assert.equal(isNews, false);
    const granted = await findGrantedTeams(database.queries, { clientId, enterpriseId: 'E1' });
    assert.ok(granted.includes(teamId), 'the older change came later');
  }
});
