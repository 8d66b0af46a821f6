import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { appendHistory } from '../../src/database/history.ts';
import { lockInstallation } from '../../src/database/installations.ts';
import {
  beginOwnRevocation,
  finishOwnRevocation,
  giveUpOwnRevocation,
  isEchoOfOwnRevocation,
} from '../../src/installations/own-revocation.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

const clientId = '1.1';
const installationId = 'ins_OWN';
const minute = 60_000;
const beganAt = 100 * minute;

for (const [engine, open] of Object.entries(engines)) {
  async function setUp(t: TestContext) {
    const { database, close } = await open();
    const strangers = await inviteStrangers(database, { clientId });
    t.after(() => strangers.assertUntouched().finally(close));
    const same = { clientId, enterpriseId: null, grantsOf: 'E1', dueAt: 3000, madeAt: 1000 };
    await database.write(async (tx) => {
      await insertTenant(tx, { ...same, mark: 'OWN', teamId: 'T1' }, ['U1', 'U2'], keyringOf('k1'));
      await insertTenant(tx, { ...same, mark: 'NEXT', teamId: 'T2' }, ['U1', 'U2'], keyringOf('k1'));
    });
    return database;
  }

  describe(`tokens that the operator revokes, on ${engine}`, () => {
    it('after an operator revokes tokens, Foyer erases them and cancels open runs, unless newer tokens were stored in the meantime', async (t) => {
      const database = await setUp(t);
      const { queries } = database;
      const finish = (version = 1, id = installationId) =>
        database.write((tx) =>
          finishOwnRevocation(tx, { installationId: id, version, beganAt, now: beganAt + 1 }),
        );
      const tokens = queries.updateTable('user_tokens').where('user_id', '=', 'U2');
      const ofNext = tokens.where('installation_id', '=', 'ins_NEXT');
      const own = tokens.where('installation_id', '=', installationId);
      await ofNext.set({ updated_at: beganAt + 1 }).execute();
      await own.set({ updated_at: beganAt + 1 }).execute();
      assert.equal(await finish(), false, 'U2 was granted a newer one');
      await own.set({ updated_at: beganAt }).execute();
      assert.equal(await finish(2), false, 'the bot has a newer one');
      assert.equal((await ownRows(database, 'user_tokens')).length, 4);
      assert.equal(await finish(), true);
      const left = async (table: 'user_tokens' | 'home_views') =>
        (await ownRows(database, table)).map((row) => row.installation_id);
      assert.deepEqual(await left('user_tokens'), ['ins_NEXT', 'ins_NEXT']);
      assert.deepEqual(await left('home_views'), ['ins_NEXT', 'ins_NEXT']);
      const runs = (await ownRows(database, 'runs')).map((run) => `${run.installation_id} ${run.status}`);
      assert.deepEqual(runs.sort(), [
        ...['ins_NEXT running', 'ins_NEXT succeeded', 'ins_NEXT waiting'],
        ...['ins_OWN cancelled', 'ins_OWN cancelled', 'ins_OWN succeeded'],
      ]);
      const states = async () =>
        (await ownRows(database, 'installations')).map((row) => `${row.id} ${row.broken_reason}`).sort();
      assert.deepEqual(await states(), ['ins_NEXT null', 'ins_OWN revoked_by_operator']);
      assert.equal(await finish(), true, 'a bot without a token has no newer one');
      await queries
        .updateTable('installations')
        .set({ status: 'uninstalled' })
        .where('id', '=', installationId)
        .execute();
      assert.equal(await finish(), false);
      assert.equal(await finish(1, 'ins_404'), false);
    });

    it('an uninstall counts as caused by an operator’s revocation only if it is dated at most one minute before or five minutes after the revocation', async (t) => {
      const database = await setUp(t);
      const isEcho = (before: number) =>
        database.write(async (tx) => {
          const row = await lockInstallation(tx, { id: installationId });
          assert.ok(row);
          return isEchoOfOwnRevocation(tx, row, before);
        });
      await database.write((tx) => beginOwnRevocation(tx, 'ins_NEXT', beganAt));
      assert.equal(await isEcho(beganAt), false, 'it is another installation’s');
      await database.write(async (tx) => {
        await beginOwnRevocation(tx, installationId, beganAt);
        // Lines about other things, later in the history, must not hide the revocation.
        const line = { installationId, at: beganAt + 1, userId: null };
        await appendHistory(tx, { ...line, kind: 'operator_action', detail: 'something else' });
        await appendHistory(tx, { ...line, kind: 'tokens_revoked', detail: 'the tokens were not revoked' });
      });
      const answers = await Promise.all(
        [-minute - 1, -minute, 0, 5 * minute, 5 * minute + 1].map((later) => isEcho(beganAt + later)),
      );
      assert.deepEqual(answers, [false, true, true, true, false]);
      await database.write((tx) => giveUpOwnRevocation(tx, installationId, beganAt + 2));
      assert.equal(await isEcho(beganAt), false);
      await database.write((tx) => beginOwnRevocation(tx, installationId, beganAt + 3));
      assert.equal(await isEcho(beganAt), true);
      const reinstalled = database.queries.updateTable('installations').where('id', '=', installationId);
      await reinstalled.set({ installed_at: beganAt + 4 }).execute();
      assert.equal(await isEcho(beganAt + 5), false, 'it was installed again since');
    });
  });
}
