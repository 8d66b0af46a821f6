import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createRecoverInstalls } from '../../src/install/recover-installs.ts';
import { engines } from '../support/open-test-database.ts';

const day = 24 * 3_600_000;
const now = Date.UTC(2026, 5, 1);

/** The row of an install request that began `n` seconds ago in the app `mine`. */
const row = (n: number, given: object) => ({
  id: `r${n}`,
  client_id: 'mine',
  progress_hash: `h${n}`,
  outcome: 'failed' as const,
  error_code: 'code_invalid',
  started_at: now - n * 1000,
  used_at: null,
  finished_at: now,
  requested_team_id: null,
  team_id: null,
  team_name: null,
  enterprise_id: null,
  user_id: null,
  installation_id: null,
  run_id: null,
  sealed_tokens: null,
  ...given,
});

for (const [engine, open] of Object.entries(engines)) {
  describe(`the sweep of old install requests on ${engine}`, () => {
    it('the sweep deletes install requests that are older than 90 days, keeps only the newest 10,000 failed requests, and uses small transactions', async (t) => {
      const { database, close } = await open();
      t.after(close);
      let n = 0;
      const many = (count: number, given: object) =>
        Array.from({ length: count }, () => {
          n += 1;
          return row(n, given);
        });
      const rows = [
        ...many(11_200, {}),
        ...many(3, { outcome: 'cancelled' }),
        ...many(3, { outcome: 'installed' }),
        ...many(1100, { outcome: 'installed', started_at: now - 91 * day }),
        ...many(2, { started_at: now - 91 * day, sealed_tokens: 'kept' }),
        ...many(4, { client_id: 'another', started_at: now - 91 * day }),
      ];
      for (let at = 0; at < rows.length; at += 500) {
        await database.queries
          .insertInto('install_requests')
          .values(rows.slice(at, at + 500) as never)
          .execute();
      }
      let writes = 0;
      const recover = createRecoverInstalls({
        config: { slack: { clientId: 'mine' } } as never,
        database: {
          ...database,
          write: (work, patienceMs) => {
            writes += 1;
            return database.write(work, patienceMs);
          },
        },
        unstoredTokens: { giveBackKept: async () => true } as never,
        now: () => now,
        log: pino({ level: 'silent' }),
      });
      await recover();
      const left = await database.queries
        .selectFrom('install_requests')
        .select(({ fn }) => ['client_id', 'outcome', fn.countAll().as('count')])
        .groupBy(['client_id', 'outcome'])
        .execute();
      const counts = Object.fromEntries(
        left.map((each) => [`${each.client_id} ${each.outcome}`, Number(each.count)]),
      );
      assert.deepEqual(counts, {
        // The two requests with tokens to revoke stay, even if they are old.
        'mine failed': 10_000 + 2,
        'mine cancelled': 3,
        'mine installed': 3,
        'another failed': 4,
      });
      assert.ok(writes >= 6, `2,300 rows in ${writes} transactions`);
      const oldest = await database.queries
        .selectFrom('install_requests')
        .select('id')
        .where('id', 'in', ['r1', 'r10000', 'r10001'])
        .execute();
      assert.deepEqual(oldest.map(({ id }) => id).sort(), ['r1', 'r10000']);
    });

    it('Foyer still tries to revoke the tokens of newer requests while Slack keeps refusing to revoke those of older requests', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const rows = Array.from({ length: 60 }, (_, index) => row(1000 - index, { sealed_tokens: 'refused' }));
      await database.queries
        .insertInto('install_requests')
        .values([...rows, row(100, { sealed_tokens: 'newest' })])
        .execute();
      const asked: string[] = [];
      const recover = createRecoverInstalls({
        config: { slack: { clientId: 'mine' } } as never,
        database,
        unstoredTokens: {
          async giveBackKept(_id: string, tokens: string) {
            asked.push(tokens);
            return false;
          },
        } as never,
        now: () => now,
        log: pino({ level: 'silent' }),
      });
      for (let minute = 0; minute < 20 && !asked.includes('newest'); minute += 1) await recover();
      assert.ok(asked.includes('newest'));
    });

    it('the sweep of install requests tries to revoke kept tokens, marks each interrupted request as failed once, and changes no other request', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const started = { outcome: 'started', error_code: null, finished_at: null };
      const rows = [
        row(61, { ...started, sealed_tokens: 'of 61' }),
        row(62, started),
        row(63, { sealed_tokens: 'of 63' }),
        row(30, { ...started, sealed_tokens: 'of 30' }),
        row(64, { ...started, client_id: 'another', sealed_tokens: 'of 64' }),
        row(65, { outcome: 'installed', error_code: null }),
      ];
      await database.queries.insertInto('install_requests').values(rows).execute();
      const all = async () => {
        const found = await database.queries
          .selectFrom('install_requests')
          .selectAll()
          .orderBy('id')
          .execute();
        return Object.fromEntries(found.map((each) => [each.id, each]));
      };
      const before = await all();
      const asked: string[][] = [];
      let interrupted = 0;
      const recover = createRecoverInstalls({
        config: { slack: { clientId: 'mine' } } as never,
        database,
        unstoredTokens: {
          async giveBackKept(...given: string[]) {
            asked.push(given);
            return false;
          },
        } as never,
        onInterrupted() {
          interrupted += 1;
        },
        now: () => now,
        log: pino({ level: 'silent' }),
      });
      await recover();
      await recover();
      assert.deepEqual(asked.map((given) => given.join()).sort(), [
        ...['r61,of 61', 'r61,of 61', 'r63,of 63', 'r63,of 63'],
      ]);
      assert.equal(interrupted, 2, 'each is counted once');
      const after = await all();
      for (const id of ['r61', 'r62'])
        assert.deepEqual([after[id]?.outcome, after[id]?.error_code], ['failed', 'interrupted']);
      assert.equal(after.r61?.sealed_tokens, 'of 61');
      for (const id of ['r63', 'r30', 'r64', 'r65']) assert.deepEqual(after[id], before[id], id);
    });
  });
}
