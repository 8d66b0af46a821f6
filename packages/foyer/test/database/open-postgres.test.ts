import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { type Database, DatabaseUnavailableError } from '../../src/database/database.ts';
import { recordEncryptionKey } from '../../src/database/encryption-keys.ts';
import { openPostgres } from '../../src/database/postgres/open-postgres.ts';
import { type PostgresProxy, startPostgresProxy } from '../support/postgres-proxy.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';

/** If Postgres or the network in front of it fails, every call of `Database` still ends, with the right outcome. */

const key = (id: string) => ({ id, sealedCheck: 'v1.x', now: 1 });
const writeKey = (database: Database, id: string, patienceMs?: number) =>
  database.write((transaction) => recordEncryptionKey(transaction, key(id)), patienceMs);
const keysIn = async ({ queries }: Database) =>
  (await queries.selectFrom('encryption_keys').select('id').orderBy('id').execute()).map(({ id }) => id);

interface Play {
  database: Database;
  proxy: PostgresProxy;
  /** The database's address, without the proxy. */
  url: string;
  /** A connection of another program. */
  stranger: pg.Client;
}

async function setPlay(t: TestContext, parameters = ''): Promise<Play> {
  const { url, drop } = await createPostgresDatabase();
  const proxy = await startPostgresProxy(url);
  const database = await openPostgres(proxy.url() + parameters);
  const stranger = new pg.Client({ connectionString: url });
  stranger.on('error', () => {});
  await stranger.connect();
  t.after(async () => {
    proxy.cut();
    await stranger.end();
    await Promise.all([database.close(), proxy.close()]);
    await drop();
  });
  return { database, proxy, url, stranger };
}

/** Returns a function for `of` callers that must continue together: each call waits for the last one. */
function meeting(of: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let come = 0;
  return () => {
    come += 1;
    if (come === of) resolve();
    return promise;
  };
}

/** Asserts that `work` is refused for this reason; returns how long that took, in milliseconds. */
async function refusal(work: Promise<unknown>, reason: RegExp): Promise<number> {
  const startedAt = performance.now();
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof DatabaseUnavailableError, String(error));
    assert.match(error.message, reason);
    return true;
  });
  return Math.round(performance.now() - startedAt);
}

// Concurrent, since most of these tests wait for time limits.
describe('a Postgres database', { concurrency: 20 }, () => {
  it('a write to a Postgres database waits for an earlier write that locked the same row, and then sees its changes', async (t) => {
    const { database } = await setPlay(t);
    await writeKey(database, 'a');
    const addOne = () =>
      database.write(async (transaction) => {
        const rows = transaction.selectFrom('encryption_keys').where('id', '=', 'a');
        const { created_at } = await rows.select('created_at').forUpdate().executeTakeFirstOrThrow();
        await transaction
          .updateTable('encryption_keys')
          .set({ created_at: created_at + 1 })
          .execute();
      });
    await Promise.all(Array.from({ length: 8 }, addOne));
    const { created_at } = await database.queries
      .selectFrom('encryption_keys')
      .select('created_at')
      .executeTakeFirstOrThrow();
    assert.equal(created_at, 9);
  });

  it('a Postgres database retries a write that ended in a deadlock', async (t) => {
    const { database } = await setPlay(t, '?options=-c%20deadlock_timeout%3D50ms');
    await writeKey(database, 'a');
    await writeKey(database, 'b');
    const bothHaveOne = meeting(2);
    let tries = 0;
    const touch = (transaction: Parameters<Parameters<Database['write']>[0]>[0], id: string) =>
      transaction.updateTable('encryption_keys').set({ created_at: 2 }).where('id', '=', id).execute();
    const touchBoth = (first: string, second: string) =>
      database.write(async (transaction) => {
        tries += 1;
        await touch(transaction, first);
        await bothHaveOne();
        await touch(transaction, second);
      });
    await Promise.all([touchBoth('a', 'b'), touchBoth('b', 'a')]);
    assert.ok(tries > 2);
  });

  it('a Postgres database stops waiting for a lock at the time limit, and works again afterward', async (t) => {
    const { database, stranger } = await setPlay(t);
    await stranger.query("begin; insert into encryption_keys values ('a', 'v1.other', 1)");
    const tookMs = await refusal(writeKey(database, 'a', 200), /lock timeout/);
    assert.ok(tookMs >= 200 && tookMs < 3000, `${tookMs} ms`);
    await database.ping();
    await stranger.query('rollback');
    assert.equal(await writeKey(database, 'a'), 'v1.x');
  });

  it('a Postgres database rolls back a transaction that throws, and does not retry it', async (t) => {
    const { database } = await setPlay(t);
    let tries = 0;
    const failing = database.write(async (transaction) => {
      tries += 1;
      await recordEncryptionKey(transaction, key('a'));
      throw new Error('the work failed');
    });
    await assert.rejects(failing, /the work failed/);
    assert.equal(tries, 1);
    assert.deepEqual(await keysIn(database), []);
  });

  it('a Postgres database throws Postgres’s own error for a faulty query, not a DatabaseUnavailableError', async (t) => {
    const { database } = await setPlay(t);
    await assert.rejects(sql`select no_such_column`.execute(database.queries), (error) => {
      assert.ok(!(error instanceof DatabaseUnavailableError));
      return error instanceof Error && /no_such_column/.test(error.message);
    });
  });

  it('a Postgres database returns integers as numbers: times, counts and sums', async (t) => {
    const { database } = await setPlay(t);
    const { rows } = await sql<Record<string, unknown>>`
      select 1800000000000::bigint as at, count(*) as many, sum(1800000000000::bigint) as total`.execute(
      database.queries,
    );
    assert.deepEqual(rows, [{ at: 1_800_000_000_000, many: 1, total: 1_800_000_000_000 }]);
  });

  it('a Postgres database cancels a statement that hangs in a read or a write, and works again afterward', async (t) => {
    const { database } = await setPlay(t);
    const hang = sql`select pg_sleep(60)`;
    const [read, write] = await Promise.all([
      refusal(hang.execute(database.queries), /timeout/),
      refusal(
        database.write((transaction) => hang.execute(transaction)),
        /timeout/,
      ),
    ]);
    assert.ok(read < 7000 && write < 7000, `${read} and ${write} ms`);
    await writeKey(database, 'a');
  });

  for (const [when, silence] of [
    ['before the first statement', (play: Play) => play.proxy.swallow()],
    ['after Foyer has opened its connections', (play: Play) => silenceAfterConnections(play)],
  ] as const) {
    it(`a Postgres database ends every call with an error within ten seconds if the server stops answering ${when}`, async (t) => {
      const play = await setPlay(t);
      const { database, proxy } = play;
      await silence(play);
      const tookMs = await Promise.all([
        refusal(keysIn(database), /timeout/),
        refusal(writeKey(database, 'a'), /timeout/),
        refusal(database.ping(), /timeout/),
      ]);
      for (const ms of tookMs) assert.ok(ms < 9000, `${ms} ms`);
      proxy.pass();
      await writeKey(database, 'a');
      t.diagnostic(`read, write, ping: ${tookMs.join(', ')} ms`);
    });
  }

  it('a Postgres database ends a transaction with an error within ten seconds if the server stops answering halfway', async (t) => {
    const { database, proxy } = await setPlay(t);
    const writing = database.write(async (transaction) => {
      await recordEncryptionKey(transaction, key('a'));
      proxy.swallow();
      await recordEncryptionKey(transaction, key('b'));
    });
    const tookMs = await refusal(writing, /timeout/);
    assert.ok(tookMs < 7000, `${tookMs} ms`);
    proxy.pass();
    await sleep(50);
    assert.deepEqual(await keysIn(database), []);
  });

  it('a Postgres database reports an unknown outcome within ten seconds if the server stops answering during a commit', async (t) => {
    const { database, proxy } = await setPlay(t);
    proxy.onCommit(() => {
      proxy.swallow();
      return undefined;
    });
    const tookMs = await refusal(writeKey(database, 'a'), /is not known/);
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    proxy.pass();
  });

  it('opening a Postgres database fails within eight seconds if another client has locked the migrations table', async (t) => {
    const { stranger, url } = await setPlay(t);
    await stranger.query('begin; lock table kysely_migration in access exclusive mode');
    const tookMs = await refusal(openPostgres(url), /timeout/);
    assert.ok(tookMs < 8000, `${tookMs} ms`);
    await stranger.query('rollback');
    await (await openPostgres(url)).close();
  });

  it('a Postgres database refuses a call within four seconds if every connection is in use, and works again once one is free', async (t) => {
    const { database } = await setPlay(t, '?pool_max=2');
    const { promise: free, resolve: letGo } = Promise.withResolvers<void>();
    const bothHaveOne = meeting(3);
    const holding = ['a', 'b'].map((id) =>
      database.write(async (transaction) => {
        await recordEncryptionKey(transaction, key(id));
        await bothHaveOne();
        await free;
      }),
    );
    await bothHaveOne();
    const tookMs = await Promise.all([
      refusal(keysIn(database), /timeout/),
      refusal(writeKey(database, 'c'), /timeout/),
    ]);
    for (const ms of tookMs) assert.ok(ms < 4000, `${ms} ms`);
    letGo();
    await Promise.all(holding);
    assert.deepEqual(await keysIn(database), ['a', 'b']);
  });

  it('a Postgres database keeps working after its idle connections have died', async (t) => {
    const { database, proxy, stranger } = await setPlay(t);
    await Promise.all(['a', 'b', 'c'].map((id) => writeKey(database, id)));
    const terminate =
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
    for (const kill of [() => stranger.query(terminate), () => proxy.cut()]) {
      await kill();
      assert.deepEqual(await keysIn(database), ['a', 'b', 'c']);
      await kill();
      await writeKey(database, 'c');
    }
  });

  it('a Postgres database refuses a read with a clear error if its connection is lost and no other is available', async (t) => {
    const { database, proxy } = await setPlay(t);
    const reading = sql`select pg_sleep(0.2)`.execute(database.queries);
    await sleep(60);
    proxy.refuse();
    proxy.cut();
    const tookMs = await refusal(reading, /cannot be used/);
    assert.ok(tookMs < 6000, `${tookMs} ms`);
    proxy.pass();
    await database.ping();
  });

  describe('a Postgres commit during which the connection breaks', { concurrency: 4 }, () => {
    /**
     * Writes one key, and cuts the connection during the commit: before Postgres executes it (`asked`), or after
     * (`done`). `cuts` says how often; if it is absent, the connection is cut only once.
     */
    async function cutAtCommit(
      play: Play,
      moment: 'asked' | 'done',
      wish: { cuts?: number; awayMs?: number } = {},
    ) {
      let tries = 0;
      let left = wish.cuts ?? 1;
      play.proxy.onCommit((now) => {
        if (now !== moment || left === 0) return undefined;
        left -= 1;
        if (wish.awayMs) {
          play.proxy.refuse();
          setTimeout(play.proxy.pass, wish.awayMs);
        }
        return 'cut';
      });
      const value = await play.database.write(async (transaction) => {
        tries += 1;
        const { numInsertedOrUpdatedRows } = await transaction
          .insertInto('encryption_keys')
          .values({ id: `try ${tries}`, sealed_check: 'v1.x', created_at: 1 })
          .executeTakeFirstOrThrow();
        return `${tries}: ${numInsertedOrUpdatedRows}`;
      }, 10_000);
      return { value, tries, stored: await keysIn(play.database) };
    }

    it('if the connection breaks after Postgres has committed, Foyer reports the commit as done and does not repeat the work', async (t) => {
      const play = await setPlay(t);
      assert.deepEqual(await cutAtCommit(play, 'done'), { value: '1: 1', tries: 1, stored: ['try 1'] });
    });

    it('if the connection breaks before the commit reaches Postgres, Foyer repeats the write, even if its check of the outcome fails too', async (t) => {
      const play = await setPlay(t);
      assert.deepEqual(await cutAtCommit(play, 'asked', { cuts: 3 }), {
        value: '2: 1',
        tries: 2,
        stored: ['try 2'],
      });
    });

    it('if the connection breaks during a commit, Foyer tries to reach the server until it is back, and asks whether the commit succeeded', async (t) => {
      const play = await setPlay(t);
      const expected = { value: '1: 1', tries: 1, stored: ['try 1'] };
      assert.deepEqual(await cutAtCommit(play, 'done', { awayMs: 3000 }), expected);
    });

    it('if the connection breaks during a commit and the server stays away, Foyer soon reports the outcome as unknown', async (t) => {
      const { database, proxy } = await setPlay(t);
      proxy.onCommit((moment) => {
        if (moment !== 'done') return undefined;
        proxy.refuse();
        return 'cut';
      });
      const tookMs = await refusal(
        writeKey(database, 'a', 20_000),
        /it is not known whether a write was committed/,
      );
      assert.ok(tookMs < 10_500, `${tookMs} ms`);
      proxy.pass();
      assert.deepEqual(await keysIn(database), ['a']);
    });
  });
});

/** Opens connections. From then on, no answer of the server arrives, on these connections or on new ones. */
async function silenceAfterConnections({ database, proxy }: Play): Promise<void> {
  await Promise.all([database.ping(), database.ping(), database.ping()]);
  proxy.swallow();
}
