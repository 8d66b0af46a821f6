import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { type Database, DatabaseUnavailableError } from '../../src/database/database.ts';
import { recordEncryptionKey } from '../../src/database/encryption-keys.ts';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';
import { replaceDatasync } from '../support/replace-datasync.ts';

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'foyer-log-'));
  const file = join(folder, 'foyer.db');
  const database = await openSqlite(file);
  t.after(async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });
  /** Returns the keys that are in the database's files now, whether or not these have been synced to the disk. */
  async function keysInTheFiles(): Promise<unknown[]> {
    const copy = join(folder, 'copy.db');
    await copyFile(file, copy);
    await copyFile(`${file}-wal`, `${copy}-wal`);
    const sqlite = new Sqlite(copy);
    const ids = sqlite.prepare('select id from encryption_keys order by id').pluck().all();
    sqlite.close();
    return ids;
  }
  return { database, keysInTheFiles };
}

const record = (database: Database, id: string): Promise<string> =>
  database.write((transaction) =>
    recordEncryptionKey(transaction, { id, sealedCheck: `check of ${id}`, now: 1 }),
  );

async function someTurns(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await turn();
}

describe('a write to SQLite', () => {
  it('a write to SQLite resolves only after it has reached the disk, and does not block reads until then', async (t) => {
    const { database, keysInTheFiles } = await setUp(t);
    const disk = Promise.withResolvers<void>();
    const found: unknown[][] = [];
    const syncs = await replaceDatasync(t, async () => {
      found.push(await keysInTheFiles());
      await disk.promise;
    });
    let isTold = false;
    const written = record(database, 'a').then(() => {
      isTold = true;
    });
    while (found.length === 0) await turn();
    await someTurns();
    assert.equal(isTold, false, 'the write resolved before it had reached the disk');
    assert.deepEqual(found, [['a']], 'the log was synced before the commit was in it');
    await database.queries.selectFrom('installations').selectAll().execute();
    disk.resolve();
    await written;
    assert.equal(syncs.mock.callCount(), 1);
  });

  it('if several writes to SQLite arrive while an earlier write waits for the disk, they share the next sync to disk', async (t) => {
    const { database } = await setUp(t);
    const disk = Promise.withResolvers<void>();
    const syncs = await replaceDatasync(t, () => disk.promise);
    const first = record(database, 'a');
    while (syncs.mock.callCount() === 0) await turn();
    const others: Promise<string>[] = [];
    for (const id of ['b', 'c', 'd']) {
      others.push(record(database, id));
      await someTurns();
    }
    disk.resolve();
    await Promise.all([first, ...others]);
    assert.equal(syncs.mock.callCount(), 2);
  });

  it('after one disk failure, Foyer refuses every later write to SQLite, even if the disk seems to work again', async (t) => {
    const { database } = await setUp(t);
    const syncs = await replaceDatasync(t, async () => {
      throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
    });
    const isRefused = (error: unknown): boolean =>
      error instanceof DatabaseUnavailableError &&
      /could not be written to the disk: EIO.*start again/.test(error.message);
    await assert.rejects(record(database, 'a'), isRefused);
    syncs.mock.restore();
    await assert.rejects(record(database, 'b'), isRefused);
    await assert.rejects(database.ping(), isRefused);
  });
});
