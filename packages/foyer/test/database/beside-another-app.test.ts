import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  countNotices,
  countUndelivered,
  listChannelTroubles,
  recordChannelState,
  troubledChannel,
} from '../../src/database/notices.ts';
import { claimDeliveries, forgetDelivery, sweepDeliveries } from '../../src/database/seen-deliveries.ts';
import { listUnknownTeams, mostUnknownTeams, recordUnknownTeam } from '../../src/database/unknown-teams.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers } from '../support/strangers.ts';

/**
 * Invariant 9 (tenants never mix) for tables whose rows belong to a whole app, not to one of its installations. The
 * tests give another app rows with the same keys.
 */

const clientId = '1.1';
const other = '2.2';
const minute = 60_000;
const day = 24 * 60 * minute;
const now = 100 * day;

for (const [engine, open] of Object.entries(engines)) {
  describe(`two apps in one database, on ${engine}`, () => {
    it('a team counts as unknown to this app even if the team has installed another app that uses the database', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const { queries } = database;
      // `inviteStrangers` adds, among others, an installation of another app (`STRANGER.9`) in team T1.
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

    it('the notices of another app do not count as this app’s, and each app’s notice channels fail and recover separately', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const { queries } = database;
      const installations: Record<string, string> = { [clientId]: 'ins_OWN', [other]: 'ins_OTHER' };
      for (const [client, id] of Object.entries(installations)) {
        const tenant = { clientId: client, mark: id.slice(4), teamId: 'T1', enterpriseId: null };
        const rows = { ...tenant, grantsOf: 'E1', dueAt: now, madeAt: now };
        await database.write((tx) => insertTenant(tx, rows, ['U1', 'U2'], keyringOf('k1')));
      }
      const webhook = (client: string, works: boolean) => {
        const installationId = installations[client] ?? '';
        const state = { clientId: client, channel: 'webhook', works, installationId } as const;
        const errorCode = works ? null : 'http_404';
        return database.write((tx) => recordChannelState(tx, { ...state, errorCode, now }));
      };
      const troubles = async (client: string) =>
        (await listChannelTroubles(queries, client)).map(({ channel }) => channel);
      await webhook(other, false);
      assert.deepEqual([await troubles(clientId), await troubles(other)], [[], ['webhook']]);
      await webhook(clientId, true);
      assert.deepEqual(await troubles(other), ['webhook'], 'this app’s webhook is another one');
      await webhook(clientId, false);
      const mails = await queries
        .selectFrom('operator_notices')
        .select(['cause_id', 'installation_id'])
        .where('kind', '=', 'channel_failed')
        .where('channel', '=', 'mail')
        .orderBy('installation_id')
        .execute();
      assert.deepEqual(
        mails.map((row) => [row.installation_id, troubledChannel(row.cause_id)]),
        [
          ['ins_OTHER', 'webhook'],
          ['ins_OWN', 'webhook'],
        ],
      );

      const others = queries.updateTable('operator_notices').where('installation_id', '=', 'ins_OTHER');
      await others.set({ status: 'failed', attempts: 1, due_at: now, created_at: now }).execute();
      assert.equal((await countNotices(queries, { clientId, since: now })).failed, 0);
      assert.deepEqual(await countUndelivered(queries, { clientId, now }), { webhook: 0, mail: 0 });
      assert.equal((await countNotices(queries, { clientId: other, since: now })).failed, 2);
      assert.equal((await countUndelivered(queries, { clientId: other, now })).webhook, 2);
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
