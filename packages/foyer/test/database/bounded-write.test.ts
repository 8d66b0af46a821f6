import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { boundedWrite, WriteStuckError } from '../../src/database/bounded-write.ts';
import type { Tx } from '../../src/database/database.ts';
import { engines } from '../support/open-test-database.ts';

const idleMs = 400;

for (const [engine, open] of Object.entries(engines)) {
  describe(`an app’s own write, on ${engine}`, () => {
    const leave = (tx: Tx, name: string) => tx.insertInto('chores').values({ name, begun_at: 1 }).execute();

    it('an app’s write is rolled back if it waits for anything but its own queries, and the writes before and after it are kept', async (t) => {
      const { database, close } = await open();
      t.after(close);
      let inner: Promise<unknown> | undefined;
      const waiting: Record<string, (tx: Tx) => Promise<unknown>> = {
        'nothing that ever comes': () => new Promise(() => {}),
        'another write': () => {
          inner = database.write((tx) => leave(tx, 'inner'));
          return inner;
        },
      };
      const ends = await Promise.allSettled([
        database.write((tx) => leave(tx, 'before')),
        ...Object.values(waiting).map((wait) =>
          database.write((tx) =>
            boundedWrite(
              tx,
              async (bounded) => {
                await leave(bounded, 'stuck');
                await wait(bounded);
                await new Promise(() => {});
              },
              idleMs,
            ),
          ),
        ),
        database.write((tx) => leave(tx, 'after')),
      ]);
      assert.deepEqual(
        ends.map((end) => end.status === 'rejected' && end.reason instanceof WriteStuckError),
        [false, true, true, false],
      );
      await inner;
      const names = await database.queries.selectFrom('chores').select('name').orderBy('name').execute();
      assert.deepEqual(
        names.map(({ name }) => name),
        ['after', 'before', 'inner'],
      );
    });

    it('an app’s write sends no more queries once it is rolled back', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      const { promise: late, resolve: report } = Promise.withResolvers<unknown>();
      await assert.rejects(
        database.write((tx) =>
          boundedWrite(
            tx,
            async (bounded) => {
              await over;
              await leave(bounded, 'late').then(report, report);
            },
            idleMs,
          ),
        ),
        WriteStuckError,
      );
      end();
      assert.ok((await late) instanceof Error);
      assert.deepEqual(await database.queries.selectFrom('chores').selectAll().execute(), []);
    });

    // Not tested on SQLite, which answers each query immediately.
    if (engine === 'Postgres') {
      it('an app’s write is not rolled back if one of its queries takes longer than the idle limit', async (t) => {
        const { database, close } = await open();
        t.after(close);
        const slow = (tx: Tx) => sql`select pg_sleep(${(idleMs * 3) / 1000})`.execute(tx);
        await database.write((tx) => boundedWrite(tx, slow, idleMs));
      });
    }

    it('an app’s write may take longer than the idle limit as long as it keeps sending queries', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const work = async (tx: Tx): Promise<string> => {
        for (let at = 0; at < 4; at += 1) {
          await sleep(idleMs / 3);
          await leave(tx, String(at));
        }
        return 'done';
      };
      assert.equal(await database.write((tx) => boundedWrite(tx, work, idleMs)), 'done');
    });
  });
}
