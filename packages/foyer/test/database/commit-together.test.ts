import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { type Database, DatabaseUnavailableError } from '../../src/database/database.ts';
import { recordEncryptionKey } from '../../src/database/encryption-keys.ts';
import { openTestDatabase } from '../support/open-test-database.ts';

async function setUp(t: TestContext) {
  const opened = await openTestDatabase();
  const file = opened.target.kind === 'sqlite' ? opened.target.file : '';
  const other = new Sqlite(file);
  t.after(async () => {
    other.close();
    await opened.close();
  });
  return {
    database: opened.database,
    other,
    keys: () => other.prepare('select id from encryption_keys order by id').pluck().all(),
  };
}

const record = (database: Database, id: string, patienceMs?: number): Promise<string> =>
  database.write(
    (transaction) => recordEncryptionKey(transaction, { id, sealedCheck: `check of ${id}`, now: 1 }),
    patienceMs,
  );

describe('queued writes', () => {
  it('queued writes are all committed, and each gets its own result', async (t) => {
    const { database, keys } = await setUp(t);
    const ids = Array.from({ length: 40 }, (_, index) => `key${String(index).padStart(2, '0')}`);
    const answers = await Promise.all(ids.map((id) => record(database, id)));
    assert.deepEqual(
      answers,
      ids.map((id) => `check of ${id}`),
    );
    assert.deepEqual(keys(), ids);
  });

  it('queued writes resolve after the commit, in the order of the calls', async (t) => {
    const { database, other } = await setUp(t);
    const heard: string[] = [];
    const isThere = other.prepare('select 1 from encryption_keys where id = ?');
    const writes = ['a', 'b', 'c', 'd'].map(async (id) => {
      await record(database, id);
      assert.ok(isThere.get(id), `${id} resolved before another connection could see it`);
      heard.push(id);
    });
    await Promise.all(writes);
    assert.deepEqual(heard, ['a', 'b', 'c', 'd']);
  });

  it('writes queued in the same turn of the event loop share a commit, even if different callbacks queued them', async (t) => {
    const { database, other } = await setUp(t);
    const isThere = other.prepare('select 1 from encryption_keys where id = ?');
    const callbacks = ['a', 'b'].map(
      (id) =>
        new Promise<unknown>((resolve) => {
          setImmediate(() => resolve(record(database, id).then(() => isThere.get('b'))));
        }),
    );
    assert.deepEqual(await Promise.all(callbacks), [{ 1: 1 }, { 1: 1 }]);
  });

  it('queued writes are committed even if another queued write fails, and the failed one leaves nothing behind', async (t) => {
    const { database, keys } = await setUp(t);
    const failing = (id: string) =>
      database.write(async (transaction) => {
        await recordEncryptionKey(transaction, { id, sealedCheck: 'x', now: 1 });
        throw new Error(`${id} has changed its mind`);
      });
    const ends = await Promise.allSettled([
      record(database, 'a'),
      record(database, 'b'),
      failing('c'),
      record(database, 'd'),
      failing('e'),
      record(database, 'f'),
    ]);
    assert.deepEqual(
      ends.map((end) => (end.status === 'rejected' ? String(end.reason) : 'done')),
      ['done', 'done', 'Error: c has changed its mind', 'done', 'Error: e has changed its mind', 'done'],
    );
    assert.deepEqual(keys(), ['a', 'b', 'd', 'f']);
  });

  it('each queued write stops waiting for a lock at its own time limit', async (t) => {
    const { database, other, keys } = await setUp(t);
    other.exec('begin immediate');
    const startedAt = performance.now();
    const patient = Promise.all([record(database, 'a', 20_000), record(database, 'c', 20_000)]);
    await assert.rejects(record(database, 'b', 150), DatabaseUnavailableError);
    const waitedMs = performance.now() - startedAt;
    assert.ok(waitedMs >= 150 && waitedMs < 5000, `it gave up after ${waitedMs} ms`);
    other.exec('commit');
    await patient;
    assert.deepEqual(keys(), ['a', 'c']);
  });
});
