import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { type Database, DatabaseUnavailableError } from '../../src/database/database.ts';
import { recordEncryptionKey } from '../../src/database/encryption-keys.ts';
import { openPostgres } from '../../src/database/postgres/open-postgres.ts';
import { freePort } from '../../src/testing/free-port.ts';
import { eventually } from '../../src/testing/visitor.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';

/** These tests restart, crash and reconfigure Postgres, so they start their own server. */

const password = 'very/secret@password';

const writeKey = (database: Database, id: string, patienceMs?: number) =>
  database.write((trx) => recordEncryptionKey(trx, { id, sealedCheck: 'v1.x', now: 1 }), patienceMs);
const keysIn = async ({ queries }: Database) =>
  (await queries.selectFrom('encryption_keys').select('id').orderBy('id').execute()).map(({ id }) => id);

/** Asserts that `work` is refused for this reason, and that the message has no password. */
async function assertRefused(work: Promise<unknown>, reason: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof DatabaseUnavailableError, String(error));
    assert.match(error.message, reason);
    for (const secret of [password, encodeURIComponent(password)])
      assert.ok(!error.message.includes(secret), 'the password is in the message');
    return true;
  });
}

describe('a Postgres server', () => {
  let server: PostgresServer;
  let database: Database;

  /** Runs one statement as the server's owner. */
  async function administer(statement: string): Promise<pg.QueryResult> {
    const client = new pg.Client({ connectionString: server.url() });
    await client.connect();
    try {
      return await client.query(statement);
    } finally {
      await client.end();
    }
  }

  before(async () => {
    // The WAL writer stays idle, so only a commit writes to the log.
    server = await startPostgresServer({ settings: ['synchronous_commit=on', 'wal_writer_delay=10s'] });
    database = await openPostgres(server.url());
  });
  after(async () => {
    await database.close();
    await server.close();
  });

  it('when the Postgres server restarts, no read or write fails', async (t) => {
    const counts = { reads: 0, writes: 0 };
    let over = false;
    const reading = (async () => {
      for (; !over; counts.reads += 1) {
        await keysIn(database);
        await sleep(2);
      }
    })();
    const writing = (async () => {
      for (; !over; counts.writes += 1) {
        await writeKey(database, `restart ${counts.writes}`, 5000);
        await sleep(2);
      }
    })();
    for (const how of ['fast', 'immediate', 'kill'] as const) {
      await sleep(50);
      await server.stop(how);
      await sleep(300);
      await server.start();
      await database.ping();
    }
    over = true;
    await Promise.all([reading, writing]);
    const kept = (await keysIn(database)).filter((id) => id.startsWith('restart'));
    assert.equal(kept.length, counts.writes);
    t.diagnostic(`${counts.reads} reads and ${counts.writes} writes through three restarts`);
  });

  it('while the Postgres server is down, database calls fail with ECONNREFUSED within 3.5 seconds, and they work again after the server is back', async () => {
    await server.stop('kill');
    const startedAt = performance.now();
    await Promise.all([
      assertRefused(keysIn(database), /ECONNREFUSED/),
      assertRefused(writeKey(database, 'gone', 500), /ECONNREFUSED/),
      assertRefused(database.ping(), /ECONNREFUSED/),
    ]);
    assert.ok(performance.now() - startedAt < 3500);
    await server.start();
    await database.ping();
  });

  it('Foyer repeats a commit that the Postgres server lost in a crash, even if another write reused its transaction id', async (t) => {
    const proxy = await startPostgresProxy(server.url());
    const through = await openPostgres(proxy.url());
    t.after(async () => {
      await through.close();
      await proxy.close();
    });
    const crashed = Promise.withResolvers<void>();
    let tries = 0;
    const stop = proxy.onCommit((moment) => {
      if (moment !== 'asked') return undefined;
      stop();
      // The server dies before the commit arrives, comes back, and reuses the transaction id for another write.
      proxy.refuse();
      void server
        .stop('kill')
        .then(() => server.start())
        .then(async () => {
          for (let n = 0; n < 5; n += 1) await writeKey(database, `other ${n}`);
        })
        .then(crashed.resolve)
        .finally(() => proxy.pass());
      return 'cut';
    });
    await through.write(async (trx) => {
      tries += 1;
      await recordEncryptionKey(trx, { id: 'lost or kept', sealedCheck: 'v1.x', now: 1 });
    }, 8000);
    await crashed.promise;
    const stored = (await keysIn(database)).includes('lost or kept');
    t.diagnostic(`${tries} tries`);
    assert.ok(stored, 'the write was reported as done, but is not there');
  });

  it('a Postgres standby counts as not ready and refuses writes until it is promoted', async () => {
    const signal = join(server.data, 'standby.signal');
    await server.stop('fast');
    await writeFile(signal, '');
    await server.start();
    await assertRefused(database.ping(), /standby/);
    await assertRefused(writeKey(database, 'standby', 300), /read-only transaction|recovery/);
    assert.ok(Array.isArray(await keysIn(database)));
    await administer('select pg_promote()');
    await database.ping();
    await writeKey(database, 'promoted');
    await rm(signal, { force: true });
  });

  it('a Postgres server that answers reads but refuses writes counts as not ready until it accepts writes again', async () => {
    const setReadOnly = async (isOn: boolean): Promise<void> => {
      await administer(`alter system set default_transaction_read_only = ${isOn ? 'on' : 'off'}`);
      await administer('select pg_reload_conf()');
    };
    const ready = (expected: boolean) =>
      eventually(async () => {
        const isReady = await database.ping().then(
          () => true,
          () => false,
        );
        return isReady === expected;
      });
    await database.ping();
    await setReadOnly(true);
    try {
      await ready(false);
      await assertRefused(database.ping(), /read-only transaction/);
      assert.ok(Array.isArray(await keysIn(database)), 'reads are answered');
    } finally {
      await setReadOnly(false);
    }
    await ready(true);
  });

  it('concurrent readiness checks share one write to the Postgres server, and leave at most one row behind', async (t) => {
    const proxy = await startPostgresProxy(server.url());
    const through = await openPostgres(proxy.url());
    t.after(async () => {
      await through.close();
      await proxy.close();
    });
    const marks = async (): Promise<number> => (await administer('select id from write_marks')).rows.length;
    const before = await marks();
    let commits = 0;
    proxy.onCommit((moment) => {
      if (moment === 'asked') commits += 1;
      return undefined;
    });
    await Promise.all(Array.from({ length: 30 }, () => through.ping()));
    await through.ping();
    assert.equal(commits, 1);
    await writeKey(through, 'clears marks');
    assert.ok((await marks()) <= before + 1, `${await marks()} marks, ${before} before`);
  });

  it('if the Postgres server cannot be reached or refuses the login, the error names the reason but not the password', async () => {
    const rules = join(server.data, 'pg_hba.conf');
    await writeFile(rules, `host all locked all scram-sha-256\n${await readFile(rules, 'utf8')}`);
    await administer(`create role locked login password '${password}'`);
    await administer('select pg_reload_conf()');
    const url = new URL(server.url());
    const as = (changes: Partial<URL>) => openPostgres(Object.assign(new URL(url), changes).href);
    await assertRefused(
      as({ username: 'locked', password: 'very%2Fwrong' }),
      /password authentication failed/,
    );
    await assertRefused(as({ username: 'nobody', password }), /role "nobody" does not exist/);
    const elsewhere = { username: 'locked', password: encodeURIComponent(password) };
    await assertRefused(as({ ...elsewhere, pathname: '/no_such' }), /database "no_such" does not exist/);
    const noPort = String(await freePort());
    await Promise.all([
      assertRefused(as({ ...elsewhere, port: noPort }), /ECONNREFUSED/),
      assertRefused(as({ ...elsewhere, host: 'no-such-host.invalid' }), /ENOTFOUND|EAI_AGAIN/),
    ]);
  });

  it('Foyer refuses a Postgres server on which it cannot create tables, with a clear error', async () => {
    await administer('create role guest login');
    await administer('create database unowned');
    const url = Object.assign(new URL(server.url('unowned')), { username: 'guest' });
    await assertRefused(openPostgres(url.href), /permission denied/);
  });

  it('Foyer refuses a Postgres server that is too old, with a clear error', async () => {
    await administer('create schema old');
    await administer(
      `create function old.current_setting(text) returns text language sql as $$ select '130011'::text $$`,
    );
    const options = encodeURIComponent('-c search_path=old,pg_catalog,public');
    await assertRefused(
      openPostgres(`${server.url()}?options=${options}`),
      /runs Postgres 13; Foyer needs 14/,
    );
  });

  it('queries that need a damaged Postgres page fail with “database unavailable”, and Foyer counts them', async (t) => {
    await administer('create database damaged');
    const before = await openPostgres(server.url('damaged'));
    await writeKey(before, 'kept');
    const { rows } = await sql<{ path: string }>`select pg_relation_filepath('sessions') as path`.execute(
      before.queries,
    );
    await before.close();
    await server.stop();
    await writeFile(join(server.data, rows[0]?.path ?? ''), Buffer.alloc(8192, 0xa5));
    await server.start();
    const damaged = await openPostgres(server.url('damaged'));
    t.after(() => damaged.close());
    assert.deepEqual(await keysIn(damaged), ['kept']);
    assert.equal(damaged.damageSeen(), 0);
    const read = damaged.queries.selectFrom('sessions').selectAll().execute();
    await assertRefused(read, /invalid page in block 0 .*XX001/);
    const write = damaged.write((tx) => tx.deleteFrom('sessions').execute(), 0);
    await assertRefused(write, /XX001/);
    assert.equal(damaged.damageSeen(), 2);
  });
});
