import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimDeliveries, forgetDelivery, sweepDeliveries } from '../../src/database/seen-deliveries.ts';
import { listUnknownTeams, mostUnknownTeams, recordUnknownTeam } from '../../src/database/unknown-teams.ts';
import { engines } from '../support/open-test-database.ts';
import { inviteStrangers } from '../support/strangers.ts';

/**
 * Invariant 9 (tenants never mix) for tables whose rows belong to a whole app, not to one of its installations. Another
 * app has rows with the same keys.
 */

const clientId = '1.1';
const other = '2.2';
const minute = 60_000;
const day = 24 * 60 * minute;
const now = 100 * day;

for (const [engine, open] of Object.entries(engines)) {
  describe(`two apps in one database, on ${engine}`, () => {
    it('a team counts as unknown to this app even if another app in the database has it installed', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const { queries } = database;
      // The strangers' other app, `STRANGER.9`, has an installation in T1.
      await inviteStrangers(database, { clientId });
      await queries.deleteFrom('unknown_teams').execute();
      const add = async (...rows: { client_id: string; tenant: string; last_seen_at: number }[]) => {
        const seen = rows.map((row) => ({ first_seen_at: 1, ...row }));
        await queries.insertInto('unknown_teams').values(seen).execute();
      };
      const tooMany = Array.from({ length: mostUnknownTeams }, (_, index) => ({
        ...{ client_id: other, tenant: `team:T${index}`, last_seen_at: 1 },
      }));
      await add(...tooMany, { client_id: other, tenant: 'team:TFRESH', last_seen_at: now });
      const rowsOf = async (client: string) => {
        const rows = await queries.selectFrom('unknown_teams').selectAll().orderBy('tenant').execute();
        return rows.filter(({ client_id }) => client_id === client).map((row) => JSON.stringify(row));
      };
      const before = await rowsOf(other);
      await add(
        { client_id: clientId, tenant: 'team:TSTRANGER', last_seen_at: now },
        { client_id: clientId, tenant: 'team:TOLD', last_seen_at: now - 31 * day },
      );
      const record = (tenant: string, at: number) =>
        database.write((tx) => recordUnknownTeam(tx, { clientId, tenant, now: at }));
      assert.equal(await record('team:T1', now), true);
      assert.equal(await record('team:T1', now + 1), false);
      assert.equal(await record('team:T3', now - 1), true);
      assert.equal(await record('enterprise:E3', now - 1), true);
      const listed = async (at: number) =>
        (await listUnknownTeams(queries, { clientId, now: at })).map(
          ({ teamId, enterpriseId }) => teamId ?? enterpriseId,
        );
      assert.deepEqual(await listed(now + minute), ['E3', 'T3', 'T1'], 'the longest known first');
      assert.equal((await rowsOf(clientId)).length, 3, 'what is old, or was installed, is deleted');
      assert.deepEqual(await rowsOf(other), before);
    });

    it('claiming, forgetting and sweeping event deliveries affects only this app’s deliveries', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const { queries } = database;
      const claim = (client: string, keys: string[], at: number) =>
        claimDeliveries(queries, { clientId: client, keys, now: at });
      const left = async () => {
        const rows = await queries.selectFrom('seen_deliveries').selectAll().execute();
        return rows.map(({ client_id, key }) => `${client_id} ${key}`).sort();
      };
      const keys = ['Ev1', 'Ev2', 'Ev3', 'Ev4'];
      await claim(other, keys.slice(0, 2), 900);
      await claim(other, ['Ev3', 'Ev4'], 1);
      assert.deepEqual((await claim(clientId, ['Ev2'], 20)).sort(), ['Ev2']);
      assert.deepEqual(await claim(clientId, ['Ev1'], 10), ['Ev1']);
      assert.deepEqual((await claim(clientId, ['Ev1', 'Ev4', 'Ev3'], 100)).sort(), ['Ev3', 'Ev4']);
      const others = keys.map((key) => `${other} ${key}`);
      await forgetDelivery(queries, { clientId, key: 'Ev4' });
      assert.deepEqual(await left(), [...['Ev1', 'Ev2', 'Ev3'].map((key) => `1.1 ${key}`), ...others]);
      const sweep = (limit: number) => sweepDeliveries(queries, { clientId, before: 100, limit });
      assert.equal(await sweep(1), 1);
      assert.deepEqual(await left(), [...['1.1 Ev2', '1.1 Ev3'], ...others], 'the oldest first');
      assert.equal(await sweep(9), 1);
      assert.deepEqual(await left(), ['1.1 Ev3', ...others]);
    });
  });
}
