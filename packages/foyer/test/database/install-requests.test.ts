import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Insertable, KyselyPlugin } from 'kysely';
import {
  consumeState,
  findInstallRequest,
  findInterruptedRequests,
  findRequestOfRun,
  finishInstallRequest,
  keepUnstoredTokens,
  recordUnusedRequest,
  sweepInstallRequests,
} from '../../src/database/install-requests.ts';
import type { InstallRequestRow, Tables } from '../../src/database/records.ts';
import { engines } from '../support/open-test-database.ts';
import { inviteStrangers, ownRows } from '../support/strangers.ts';

const clientId = '1.1';
const blank: Omit<InstallRequestRow, 'id' | 'progress_hash' | 'started_at'> = {
  ...{ client_id: clientId, outcome: 'failed', error_code: null, used_at: null, finished_at: null },
  ...{ requested_team_id: null, team_id: null, team_name: null, enterprise_id: null, user_id: null },
  ...{ installation_id: null, run_id: null, sealed_tokens: null },
};

for (const [engine, open] of Object.entries(engines)) {
  async function setUp(t: TestContext) {
    const { database, close } = await open();
    const strangers = await inviteStrangers(database, { clientId });
    t.after(() => strangers.assertUntouched().finally(close));
    const add = (requests: Record<string, Partial<InstallRequestRow> & { started_at: number }>) =>
      database.queries
        .insertInto('install_requests')
        .values(
          Object.entries(requests).map(
            ([id, wish]): Insertable<Tables['install_requests']> => ({
              ...{ ...blank, id, progress_hash: `hash of ${id}` },
              ...wish,
            }),
          ),
        )
        .execute();
    const rows = async () =>
      (await ownRows(database, 'install_requests')).sort((one, other) => (one.id < other.id ? -1 : 1));
    return { database, add, rows };
  }

  describe(`install requests, on ${engine}`, () => {
    it('each OAuth state is accepted only once, even if the person cancelled first, and using one changes no other install request', async (t) => {
      const { database, rows } = await setUp(t);
      const request = (id: string, at: number) => ({
        ...{ id, clientId, progressHash: `hash of ${id}`, requestedTeamId: null, now: at },
      });
      const consume = (id: string, at: number) => database.write((tx) => consumeState(tx, request(id, at)));
      const cancel = (id: string, at: number) =>
        database.write((tx) =>
          recordUnusedRequest(tx, request(id, at), { outcome: 'cancelled', errorCode: 'access_denied' }),
        );
      const states = async () =>
        (await rows()).map(({ id, outcome, used_at }) => `${id} ${outcome} ${used_at}`);
      await cancel('one', 1);
      await cancel('two', 2);
      assert.deepEqual(await states(), ['one cancelled null', 'two cancelled null']);
      await database.write((tx) =>
        recordUnusedRequest(tx, request('two', 9), { outcome: 'failed', errorCode: 'server_error' }),
      );
      const [, two] = await rows();
      assert.deepEqual(
        [two?.outcome, two?.error_code, two?.finished_at],
        ['cancelled', 'access_denied', 2],
        'a reload of the callback leaves the first outcome',
      );
      assert.equal(await consume('one', 3), true);
      assert.deepEqual(await states(), ['one started 3', 'two cancelled null']);
      assert.equal(await consume('one', 4), false, 'it was used');
      await cancel('one', 5);
      assert.deepEqual(await states(), ['one started 3', 'two cancelled null']);
      assert.equal(await consume('three', 6), true);
      assert.equal(await consume('three', 7), false);
      const found = await findInstallRequest(database.queries, 'hash of two');
      assert.equal(found?.id, 'two');
      assert.equal(await findInstallRequest(database.queries, 'hash of four'), undefined);
    });

    it('Foyer finds the install request that started a run, even if other requests began at the same time', async (t) => {
      const { database, add } = await setUp(t);
      const find = async (storedAt = 100_000) =>
        (await findRequestOfRun(database.queries, { clientId, runId: 'run_1', storedAt }))?.id;
      const installed = { outcome: 'installed', run_id: 'run_1', started_at: 90_000 } as const;
      await add({
        'another run’s': { ...installed, run_id: 'run_2' },
        'another app’s': { ...installed, client_id: '2.2' },
        failed: { ...installed, outcome: 'failed' },
      });
      assert.equal(await find(), undefined);
      await add({ its: installed });
      assert.equal(await find(), 'its');
      assert.deepEqual([await find(90_000), await find(120_000)], ['its', 'its']);
      assert.deepEqual([await find(89_999), await find(120_001)], [undefined, undefined]);
    });

    it('install requests from before the given time count as interrupted if they never finished or still hold tokens', async (t) => {
      const { database, add } = await setUp(t);
      const started = { outcome: 'started' } as const;
      await add({
        'open 1': { ...started, started_at: 1 },
        'open 2': { ...started, started_at: 2 },
        'open 3': { ...started, started_at: 3 },
        'tokens 1': { sealed_tokens: 'sealed', started_at: 1 },
        'tokens 2': { sealed_tokens: 'sealed', started_at: 2 },
        'both 2': { ...started, sealed_tokens: 'sealed', started_at: 2 },
        ended: { started_at: 0 },
        'another app’s': { ...started, client_id: '2.2', started_at: 0 },
      });
      const find = async (limit: number) =>
        (await findInterruptedRequests(database.queries, { clientId, before: 3, limit }))
          .map(({ id }) => id)
          .sort();
      assert.deepEqual(await find(9), ['both 2', 'open 1', 'open 2', 'tokens 1', 'tokens 2']);
      const few = await find(1);
      assert.ok(few.includes('open 1'), 'the oldest that is open');
      assert.ok(few.length <= 2, 'one of each');
    });

    it('a sweep deletes the oldest install requests, up to its limit, and keeps a request with tokens, even if Foyer stores the tokens during the sweep', async (t) => {
      const { database, add, rows } = await setUp(t);
      const left = async () => (await rows()).map(({ id }) => id);
      await add({
        'failed 1': { started_at: 1 },
        'failed 2': { started_at: 2 },
        'failed 3': { started_at: 3 },
        'failed 9': { started_at: 9 },
        'cancelled 1': { started_at: 1, outcome: 'cancelled' },
        tokens: { started_at: 0, sealed_tokens: 'sealed' },
      });
      const sweep = (rest: object = {}) =>
        database.write((tx) =>
          sweepInstallRequests(tx, { clientId, before: 9, limit: 2, outcome: 'failed', ...rest }),
        );
      assert.equal(await sweep(), 2);
      assert.deepEqual(await left(), ['cancelled 1', 'failed 3', 'failed 9', 'tokens']);
      assert.equal(await sweep({ before: 1 }), 0);
      const swept = await database.write(async (tx) => {
        /** Stores tokens right after the sweep has chosen its rows. */
        const late: KyselyPlugin = {
          transformQuery: ({ node }) => node,
          async transformResult({ result }) {
            if (result.rows.length > 0)
              await keepUnstoredTokens(tx, { id: 'failed 3', sealedTokens: 'sealed' });
            return result;
          },
        };
        return sweepInstallRequests(tx.withPlugin(late), { clientId, before: 9, limit: 9 });
      });
      assert.equal(swept, 1);
      assert.deepEqual(await left(), ['failed 3', 'failed 9', 'tokens']);
    });

    it('a finished install request keeps its tokens only if some still have to be revoked', async (t) => {
      const { database, add, rows } = await setUp(t);
      const started = { outcome: 'started', started_at: 1, sealed_tokens: 'sealed' } as const;
      await add({ one: started, two: started, three: started });
      const place = { teamId: 'T1', teamName: null, enterpriseId: null, userId: 'U1' };
      const end = { ...place, installationId: 'ins_1', runId: null, now: 2 };
      await database.write((tx) => finishInstallRequest(tx, { ...end, id: 'one' }));
      await database.write((tx) => finishInstallRequest(tx, { ...end, id: 'two', leavesTokens: true }));
      const states = (await rows()).map(
        ({ id, outcome, sealed_tokens }) => `${id} ${outcome} ${sealed_tokens}`,
      );
      assert.deepEqual(states, ['one installed null', 'three started sealed', 'two installed sealed']);
    });
  });
}
