import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Insertable, Updateable } from 'kysely';
import { readInstallRecord } from '../../src/database/install-record.ts';
import { listMembersPage } from '../../src/database/people/member-lists.ts';
import type { Tables } from '../../src/database/records.ts';
import { readFailedRuns } from '../../src/operator/failed-runs.ts';
import {
  countGrantedScopes,
  countInstallations,
  findInstallationIds,
  listInstallationsPage,
} from '../../src/operator/installation-lists.ts';
import { readRefusedRequests, readUnconfirmedWelcomes } from '../../src/operator/problems.ts';
import { countFailingRuns, readQueueState } from '../../src/operator/queue-state.ts';
import { readInstallations } from '../../src/operator/read-installations.ts';
import { measureWelcomesByDay } from '../../src/operator/request-lists.ts';
import { countRequests, countRuns, readFailedSteps } from '../../src/operator/support-bundle/read-counts.ts';
import { countTokensAtRisk, readTokenTimes } from '../../src/operator/token-times.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

/**
 * An operator's queries read the rows of the app's own tenants (`own`, `a` and the org-wide `b`). They never read those
 * of another app's tenant (`c`), which has the same workspace, the same people and older rows.
 */

const clientId = '1.1';
const now = 5_000_000;
const [own, a, b] = ['ins_OWN', 'ins_STRANGER_a', 'ins_STRANGER_b'] as const;

/** The tables with an `id` that these tests change. */
type WithId = 'installations' | 'runs' | 'install_requests';

for (const [engine, open] of Object.entries(engines)) {
  async function setApps(t: TestContext) {
    const { database, close } = await open();
    t.after(close);
    const { queries } = database;
    await inviteStrangers(database, { clientId });
    const place = { clientId, teamId: 'T1', enterpriseId: null, grantsOf: 'E1' };
    await database.write((tx) =>
      insertTenant(tx, { ...place, mark: 'OWN', dueAt: 3000, madeAt: 1000 }, ['U1', 'U2'], keyringOf('k1')),
    );
    const change = async <Name extends WithId>(table: Name, id: string, to: Updateable<Tables[Name]>) => {
      await queries
        .updateTable(table as WithId)
        .set(to as object)
        .where('id', '=', id)
        .execute();
    };
    /** Adds copies of the first row of `own`, with the given changes. */
    const add = async <Name extends keyof Tables>(
      table: Name,
      ...rows: Partial<Insertable<Tables[Name]>>[]
    ) => {
      const [like] = await ownRows(database, table);
      await queries
        .insertInto(table as keyof Tables)
        .values(rows.map((row) => ({ ...like, ...row })))
        .execute();
    };
    return { database, queries, change, add };
  }

  /**
   * Makes the newest install run of each installation fail, and marks `b` as uninstalled. `own` also gets three other
   * failed runs: one that was created at the same time but has a smaller id, an older one with a greater id, and a
   * newer `opened` run.
   */
  async function setFailures(t: TestContext) {
    const apps = await setApps(t);
    const { change, add } = apps;
    const failed = { status: 'failed', due_at: null, waiting_for: null } as const;
    for (const id of ['run_OWN1', 'run_OWN3', 'run_STRANGER_a3', 'run_STRANGER_b3', 'run_STRANGER_c3'])
      await change('runs', id, failed);
    await add(
      'runs',
      { id: 'run_OWN4', created_at: 500, status: 'failed' },
      { id: 'run_OWN5', created_at: 9000, pipeline: 'opened', status: 'failed', user_id: 'U2' },
    );
    await change('installations', b, { status: 'uninstalled' });
    return apps;
  }

  describe(`an operator's queries on ${engine}`, () => {
    it('readQueueState counts only the runs of this app', async (t) => {
      const { queries, change } = await setApps(t);
      await change('runs', 'run_STRANGER_c2', { due_at: 1000 });
      await change('runs', 'run_OWN3', { status: 'queued', due_at: 2500, waiting_for: null });
      const counts = { queued: 1, running: 3, waiting: 2 };
      assert.deepEqual(await readQueueState(queries, { clientId, now }), {
        ...{ ...counts, due: 2, oldestDueAt: 2500 },
      });
      assert.deepEqual(await readQueueState(queries, { clientId, now: 2499 }), {
        ...{ ...counts, due: 0, oldestDueAt: null },
      });
    });

    it('countFailingRuns looks only at the newest install run of each installation', async (t) => {
      const { queries, change } = await setFailures(t);
      assert.equal(await countFailingRuns(queries, clientId), 2);
      await change('runs', 'run_OWN3', { created_at: 400 });
      assert.equal(await countFailingRuns(queries, clientId), 1, 'run_OWN2 is newer, and is running');
    });

    it('listInstallationsPage lists installations whose newest install run failed, newest run first, page by page', async (t) => {
      const { queries } = await setFailures(t);
      // The run of `a` is the oldest by its time, but not by its id.
      await queries.updateTable('runs').set({ created_at: 700 }).where('installation_id', '=', a).execute();
      const search = { clientId, runStatus: 'failed', limit: 1 } as const;
      const list = async (given: Partial<Parameters<typeof listInstallationsPage>[1]> = {}) => {
        const page = await listInstallationsPage(queries, { ...search, limit: 9, ...given });
        return { ...page, ids: page.rows.map(({ id }) => id) };
      };
      const first = await list({ limit: 1, statuses: ['active'] });
      assert.deepEqual([first.ids, first.newer], [[own], null]);
      assert.ok(first.older);
      const cursor = { ...first.older, towards: 'older' } as const;
      const second = await list({ limit: 1, statuses: ['active'], cursor });
      assert.deepEqual([second.ids, second.older], [[a], null]);
      assert.ok(second.newer);
      const back = { ...second.newer, towards: 'newer' } as const;
      assert.deepEqual((await list({ limit: 1, statuses: ['active'], cursor: back })).ids, [own]);
      assert.deepEqual((await list()).ids, [b, own, a]);
      for (const text of ['Team OWN', 'T1', 'run_OWN1']) assert.deepEqual((await list({ text })).ids, [own]);
      assert.deepEqual((await list({ text: 'prise STRANGER_B' })).ids, [b]);
      assert.deepEqual((await list({ statuses: ['broken'] })).ids, []);
      assert.deepEqual((await list({ runStatus: undefined, statuses: ['broken'] })).ids, []);
      assert.deepEqual((await list({ runStatus: undefined, statuses: ['uninstalled'] })).ids, [b]);
      assert.deepEqual((await list({ runStatus: 'succeeded' })).ids, []);
      await queries.updateTable('runs').set({ status: 'succeeded' }).where('id', '=', 'run_OWN3').execute();
      assert.deepEqual((await list({ runStatus: 'succeeded' })).ids, [own]);
    });

    it('listInstallationsPage lists teams that installed at the same time in a fixed order, page by page', async (t) => {
      const { queries } = await setApps(t);
      const ids: string[] = [];
      let cursor: Parameters<typeof listInstallationsPage>[1]['cursor'];
      for (let pages = 0; pages < 9; pages += 1) {
        const page = await listInstallationsPage(queries, { clientId, limit: 1, cursor });
        ids.push(...page.rows.map(({ id }) => id));
        if (!page.older) break;
        cursor = { ...page.older, towards: 'older' };
      }
      assert.deepEqual(ids, [b, a, own]);
    });

    it('findInstallationIds finds only this app’s installations', async (t) => {
      const { queries, add } = await setApps(t);
      const find = async (text: string) => (await findInstallationIds(queries, { clientId, text })).sort();
      for (const text of [own, 'run_OWN3']) assert.deepEqual(await find(text), [own]);
      for (const text of ['ins_STRANGER_c', 'run_STRANGER_c1']) assert.deepEqual(await find(text), []);
      for (const text of ['u1', 'U2']) assert.deepEqual(await find(text), [own, a, b]);
      await add('memberships', { client_id: 'STRANGER.9', user_id: 'U9' });
      assert.deepEqual(await find('U9'), [], 'a member only for the other app');
    });

    it('countInstallations counts by status, and countGrantedScopes counts the scopes of active installations with a bot', async (t) => {
      const { queries, change, add } = await setApps(t);
      await change('installations', a, { bot_scopes: null });
      await change('installations', b, { status: 'broken' });
      const other = { id: 'ins_OWN_2', tenant: 'team:T2', team_id: 'T2', bot_scopes: '["users:read"]' };
      await add('installations', other);
      assert.deepEqual(await countInstallations(queries, clientId), { active: 3, broken: 1, uninstalled: 0 });
      const counted = await countGrantedScopes(queries, clientId);
      assert.deepEqual(counted.map(({ scopes, installations }) => `${scopes} ${installations}`).sort(), [
        'chat:write 1',
        'users:read 1',
      ]);
    });

    it('readFailedRuns returns each failed run once, in pages of at most 100', async (t) => {
      const { queries, add } = await setApps(t);
      const many = Array.from({ length: 230 }, (_, index) => index);
      await add(
        'installations',
        ...many.map((index) => ({
          id: `ins_OWN_${index}`,
          tenant: `team:T_${index}`,
          team_id: `T_${index}`,
        })),
      );
      const failed = { status: 'failed', created_at: 1000, due_at: null } as const;
      await add(
        'runs',
        ...many.map((index) => ({ ...failed, id: `run_OWN_${index}`, installation_id: `ins_OWN_${index}` })),
      );
      const ids: string[] = [];
      for await (const page of readFailedRuns(queries, { clientId })) {
        assert.ok(page.length <= 100, 'few are in memory at once');
        ids.push(...page.map(({ id }) => id));
        assert.ok(ids.length <= 230, 'it ends');
      }
      assert.deepEqual([ids.length, new Set(ids).size], [230, 230]);
    });

    it('readFailedRuns returns the failed runs that are worth a retry, and skips those whose outcome no longer matters', async (t) => {
      const { queries, add, change } = await setFailures(t);
      const failed = { status: 'failed', finished_at: 2000 } as const;
      await add(
        'runs',
        { ...failed, id: 'run_OWN6', created_at: 1500, pipeline: 'uninstall' },
        { ...failed, id: 'run_OWN7', created_at: 1500, pipeline: 'uninstall', life: 0 },
        { ...failed, id: 'run_OWN8', created_at: 1500, pipeline: 'opened', life: 0 },
        { ...failed, id: 'run_b4', created_at: 1500, pipeline: 'opened', installation_id: b },
        { ...failed, id: 'run_b5', created_at: 1400, pipeline: 'uninstall', installation_id: b },
      );
      await queries
        .updateTable('steps')
        .set({ status: 'failed', error_code: 'x' })
        .where('run_id', '=', 'run_OWN3')
        .where('name', '!=', 'send-welcome')
        .execute();
      const find = async (search: { step?: string; since?: number } = {}) => {
        const found = [];
        for await (const page of readFailedRuns(queries, { clientId, ...search })) found.push(...page);
        return found;
      };
      const all = await find();
      const ids = ['run_STRANGER_a3', 'run_OWN5', 'run_OWN6', 'run_b5', 'run_OWN3'];
      assert.deepEqual(
        all.map(({ id }) => id),
        ids,
      );
      const failedSteps = ['register-team', 'only'].map((step) => ({ step, error: 'x' }));
      assert.deepEqual(all.at(-1)?.failed, failedSteps);
      assert.deepEqual(all[0]?.failed, [], 'the steps of its own run');
      const since = (await find({ since: 2000 })).map(({ id }) => id);
      assert.deepEqual(since, ['run_OWN6', 'run_b5']);
      assert.deepEqual(
        (await find({ step: 'only' })).map(({ id }) => id),
        ['run_OWN3'],
      );
      assert.deepEqual(await find({ step: 'send-welcome' }), []);
      // A step of run_OWN3 has failed. The query does not find this run while the run is in progress, but finds it
      // after the run has succeeded.
      await change('runs', 'run_OWN3', { status: 'running' });
      assert.deepEqual(await find({ step: 'only' }), []);
      await change('runs', 'run_OWN3', { status: 'succeeded' });
      assert.equal((await find({ step: 'only' })).length, 1);
    });

    it('readTokenTimes returns when the tokens of an installation expire', async (t) => {
      const { queries, change } = await setApps(t);
      const users = queries.updateTable('user_tokens').where('installation_id', '=', own);
      await users.set({ expires_at: 900 }).where('user_id', '=', 'U2').execute();
      assert.deepEqual(await readTokenTimes(queries, own), {
        ...{ bot: { expiresAt: 1000 }, users: 2, usersExpireFrom: 900 },
      });
      await change('installations', own, { bot_user_id: null });
      assert.equal((await readTokenTimes(queries, own)).bot, null, 'only a user token');
      await change('installations', own, { bot_user_id: 'UBOT', sealed_bot: null });
      assert.equal((await readTokenTimes(queries, own)).bot, null, 'erased');
    });

    it('countTokensAtRisk counts expiring tokens and unstored tokens', async (t) => {
      const { queries, change } = await setApps(t);
      await change('installations', a, { status: 'broken', bot_expires_at: 1000 });
      const before = 1000;
      const found = { lapsingBots: 1, lapsingUsers: 2, unstored: 3 };
      assert.deepEqual(await countTokensAtRisk(queries, { clientId, before }), found);
      const none = { ...found, lapsingBots: 0, lapsingUsers: 0 };
      assert.deepEqual(await countTokensAtRisk(queries, { clientId, before: 999 }), none);
    });

    it('readUnconfirmedWelcomes lists the unconfirmed welcomes of current installs, newest first', async (t) => {
      const { queries, change, add } = await setApps(t);
      const doubt = { status: 'unconfirmed' } as const;
      const welcomes = queries.updateTable('welcomes').set(doubt).where('user_id', '=', 'U1');
      await welcomes.execute();
      await add('welcomes', { ...doubt, user_id: 'U3', life: 0, attempted_at: 9e12 });
      await change('installations', b, { status: 'uninstalled' });
      const search = { clientId, limit: 5 };
      const newest = async (limit: number) => {
        const found = await readUnconfirmedWelcomes(queries, { ...search, limit });
        return [found.count, found.newest.map(({ id }) => id)];
      };
      assert.deepEqual(await newest(5), [2, [a, own]]);
      assert.deepEqual(await newest(1), [2, [a]]);
      await queries
        .updateTable('welcomes')
        .set({ attempted_at: 8e12 })
        .where('installation_id', '=', own)
        .execute();
      assert.deepEqual(await newest(5), [2, [own, a]]);
    });

    it('readRefusedRequests lists the requests that were refused since a given time, newest first', async (t) => {
      const { queries, change } = await setApps(t);
      const refused = { outcome: 'refused' } as const;
      for (const who of ['OWN', 'STRANGER_a', 'STRANGER_c'])
        await change('install_requests', `req_${who}_installed`, { ...refused, started_at: 3000 });
      await change('install_requests', 'req_OWN_started', { ...refused, started_at: 2000 });
      const search = { clientId, from: 2000, limit: 2 };
      const ids = async (from: number) => {
        const found = await readRefusedRequests(queries, { ...search, from });
        return [found.count, found.newest.map(({ id }) => id)];
      };
      const newest = ['req_STRANGER_a_installed', 'req_OWN_installed'];
      assert.deepEqual(await ids(2000), [3, newest]);
      assert.deepEqual(await ids(2001), [2, newest]);
      assert.deepEqual(await ids(3001), [0, []]);
    });

    it('countRuns, countRequests and readFailedSteps count and list only what belongs to this app', async (t) => {
      const { queries, change } = await setApps(t);
      await change('runs', 'run_OWN2', { pipeline: 'uninstall' });
      const of = (pipeline: 'install' | 'uninstall', status: string, count: number) => ({
        ...{ pipeline, status, count },
      });
      assert.deepEqual(await countRuns(queries, clientId), [
        ...[of('install', 'running', 2), of('install', 'succeeded', 3), of('install', 'waiting', 3)],
        of('uninstall', 'running', 1),
      ]);
      await change('install_requests', 'req_STRANGER_b_installed', { outcome: 'failed', error_code: 'b' });
      await change('install_requests', 'req_STRANGER_b_started', { outcome: 'failed', error_code: 'a' });
      const day = 24 * 3_600_000;
      const counted = async (at: number) =>
        (await countRequests(queries, { clientId, now: at })).map(({ outcome, errorCode, count }) =>
          [outcome, errorCode, count].join(' '),
        );
      const both = ['failed a 1', 'failed b 1'];
      assert.deepEqual(await counted(1000 + day), [...both, 'installed  2', 'started  2']);
      assert.deepEqual(await counted(1001 + day), [...both, 'installed  1', 'started  1']);

      for (const id of ['run_OWN1', 'run_OWN3', 'run_STRANGER_a1', 'run_STRANGER_c1'])
        await change('runs', id, { status: 'failed', created_at: id === 'run_STRANGER_a1' ? 900 : 1000 });
      const steps = queries.updateTable('steps').set({ status: 'failed' });
      await steps.where('run_id', 'in', ['run_OWN1', 'run_OWN2', 'run_STRANGER_c1']).execute();
      await steps.where('run_id', '=', 'run_OWN3').where('name', '!=', 'send-welcome').execute();
      await steps.where('run_id', '=', 'run_STRANGER_a1').where('name', '=', 'only').execute();
      assert.deepEqual(
        (await readFailedSteps(queries, clientId)).map(({ runId, step }) => `${runId} ${step}`),
        [
          ...['run_OWN3 register-team', 'run_OWN3 only'],
          ...['run_OWN1 register-team', 'run_OWN1 send-welcome', 'run_OWN1 only'],
          'run_STRANGER_a1 only',
        ],
      );
    });

    it('readInstallations returns all installations, newest first, each with the newest run of its install pipeline', async (t) => {
      const { queries, change, add } = await setFailures(t);
      await change('installations', b, { installed_at: 1000 });
      await add('installations', { id: 'ins_OWN_2', tenant: 'team:T2', team_id: 'T2', installed_at: 1000 });
      const read = async (filter: { status?: 'uninstalled'; since?: number } = {}) => {
        const found = [];
        for await (const page of readInstallations(queries, { clientId, ...filter })) found.push(...page);
        return found;
      };
      const all = await read();
      assert.deepEqual(
        all.map(({ id, run }) => [id, run?.id]),
        [
          [a, 'run_STRANGER_a3'],
          [b, 'run_STRANGER_b3'],
          ['ins_OWN_2', undefined],
          [own, 'run_OWN3'],
        ],
      );
      const steps = ['register-team', 'send-welcome', 'only'];
      assert.deepEqual(
        all.map(({ run }) => run?.steps.map(({ name }) => name)),
        [steps, steps, undefined, steps],
      );
      const ids = async (filter: Parameters<typeof read>[0]) => (await read(filter)).map(({ id }) => id);
      assert.deepEqual(await ids({ status: 'uninstalled' }), [b]);
      assert.deepEqual(await ids({ since: 1001 }), [a]);
      assert.equal((await ids({ since: 1000 })).length, 4);
    });

    it('readInstallations returns each installation once across all pages', async (t) => {
      const { queries, add } = await setApps(t);
      const many = Array.from({ length: 120 }, (_, index) => ({
        ...{ id: `ins_OWN_${index}`, tenant: `team:TMANY${index}`, team_id: `TMANY${index}` },
        installed_at: 2000 + Math.floor(index / 60),
      }));
      await add('installations', ...many);
      const ids: string[] = [];
      for await (const page of readInstallations(queries, { clientId })) {
        assert.ok(page.length <= 50, 'few are in memory at once');
        ids.push(...page.map(({ id }) => id));
        assert.ok(ids.length <= 123, 'it ends');
      }
      assert.deepEqual([ids.length, new Set(ids).size, ids.at(-1)], [123, 123, own]);
    });

    it('listInstallationsPage reads a page in four statements, and returns the same records as a separate read of each installation', async (t) => {
      const { queries, add } = await setApps(t);
      const many = Array.from({ length: 40 }, (_, index) => ({
        ...{ id: `ins_OWN_${index}`, tenant: `team:TMANY${index}`, team_id: `TMANY${index}` },
        installed_at: 900 + index * 5,
      }));
      await add('installations', ...many);
      let statements = 0;
      const counted = queries.withPlugin({
        transformQuery: ({ node }) => node,
        async transformResult({ result }) {
          statements += 1;
          return result;
        },
      });
      const { rows } = await listInstallationsPage(counted, { clientId, limit: 50 });
      assert.equal(statements, 4);
      const expected = await Promise.all(rows.map(({ id }) => readInstallRecord(queries, id)));
      assert.equal(rows.length, 43);
      assert.deepEqual(rows, expected);
      assert.ok(rows.some(({ run }) => run !== null && run.steps.length > 1));
      const times = rows.map(({ installedAt }) => installedAt);
      assert.deepEqual(
        times,
        times.toSorted((one, other) => other - one),
      );
    });

    it('measureWelcomesByDay measures the time from a run to the welcome that the same run sent, and ignores the welcomes of other runs', async (t) => {
      const { queries, add } = await setApps(t);
      const sent = queries.updateTable('welcomes').set({ status: 'sent' });
      await sent.where('user_id', '=', 'U2').execute();
      await queries.updateTable('welcomes').set({ sent_at: 1700 }).where('user_id', '=', 'U1').execute();
      // The query must not measure this welcome, which run_OWN2 sent to U0. U0 comes first in every index.
      await add('welcomes', { user_id: 'U0', run_id: 'run_OWN2', status: 'sent', sent_at: 1500 });
      const [day] = await measureWelcomesByDay(queries, { clientId, days: 1, now: 1000 });
      assert.deepEqual([day?.welcomes, day?.medianMs, day?.slowestMs], [1, 2000, 2000]);
      const before = await measureWelcomesByDay(queries, { clientId, days: 1, now: 1000 + 86_400_000 });
      assert.equal(before[0]?.welcomes, 0);
    });

    it('if people were met at the same time, listMembersPage lists them page by page in a fixed order', async (t) => {
      const { queries, add } = await setApps(t);
      for (const table of ['memberships', 'users'] as const)
        await add(table, { user_id: 'U3' }, { user_id: 'U0' });
      const met = { user_id: 'U2' };
      await add('external_members', { ...met, home_team_id: 'TZ' }, { ...met, home_team_id: 'TA' });
      const host = await readInstallRecord(queries, own);
      assert.ok(host);
      const seen: string[] = [];
      let cursor: Parameters<typeof listMembersPage>[2]['cursor'];
      for (let pages = 0; pages < 20; pages += 1) {
        const page = await listMembersPage(queries, host, { limit: 1, cursor });
        seen.push(...page.rows.map(({ userId, teamId }) => `${userId} ${teamId}`));
        if (!page.older) break;
        cursor = { ...page.older, towards: 'older' };
      }
      assert.deepEqual(seen, [
        ...['U3 T1', 'U2 TZ', 'U2 THOMEOWN', 'U2 TA', 'U2 T1', 'U1 THOMEOWN', 'U1 T1', 'U0 T1'],
      ]);
    });
  });
}
