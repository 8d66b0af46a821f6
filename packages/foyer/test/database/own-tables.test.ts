import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { type Dialect, Kysely, PostgresDialect, type RawBuilder, SqliteDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import type { DatabaseTarget } from '../../src/config/database-target.ts';
import { DatabaseNewerError, DatabaseUnavailableError } from '../../src/database/database.ts';
import { migrationNames, OwnMigrationError, type OwnMigrations } from '../../src/database/migrate.ts';
import { m0001Initial } from '../../src/database/migrations/0001-initial.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { ownDatabase } from '../../src/database/own-database.ts';
import { readTables } from '../../src/database/read-tables.ts';
import type { Tables } from '../../src/database/records.ts';
import { storeInstallation } from '../operator/operator-harness.ts';
import { engines } from '../support/open-test-database.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';

interface MyTables {
  orders: { id: string; installation_id: string; total: number };
}

const orders: OwnMigrations = {
  '0001-orders': {
    async up(db) {
      await db.schema
        .createTable('orders')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('installation_id', 'text', (column) =>
          column.notNull().references('installations.id').onDelete('cascade'),
        )
        .addColumn('total', 'integer', (column) => column.notNull())
        .execute();
    },
  },
};
const notes: OwnMigrations = {
  '0002-notes': { up: (db) => db.schema.createTable('notes').addColumn('id', 'text').execute() },
};

/** Creates a database as an older Foyer would have left it: with only Foyer's first migration and a row of the app. */
const older: Record<
  string,
  (t: TestContext, alsoRuns?: string) => Promise<{ target: DatabaseTarget; close(): Promise<void> }>
> = {
  async SQLite(t, alsoRuns) {
    const folder = await mkdtemp(join(tmpdir(), 'foyer-older-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'foyer.db');
    await fillOlder(new SqliteDialect({ database: new Sqlite(file) }), alsoRuns);
    return { target: { kind: 'sqlite', file }, async close() {} };
  },
  async Postgres(_t, alsoRuns) {
    const { url, drop } = await createPostgresDatabase({ empty: true });
    await fillOlder(new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }), alsoRuns);
    return { target: { kind: 'postgres', url }, close: drop };
  },
};

async function fillOlder(dialect: Dialect, alsoRuns = 'select 1'): Promise<void> {
  const db = new Kysely<Tables & MyTables>({ dialect });
  const lists = [
    { list: { '0001-initial': m0001Initial }, migrationTableName: 'kysely_migration' },
    { list: orders, migrationTableName: 'app_migration', migrationLockTableName: 'app_migration_lock' },
  ];
  for (const { list, ...names } of lists) {
    const provider = { getMigrations: async () => ({ ...list }) };
    const { error } = await new Migrator({ db, provider, ...names }).migrateToLatest();
    assert.equal(error, undefined);
  }
  await sql`insert into installations
    (id, client_id, tenant, is_enterprise_install, status, life, version, installer_user_id, installed_at)
    values ('ins_1', '1.2', 'team:T1', 0, 'active', 1, 1, 'U1', 1)`.execute(db);
  await db.insertInto('orders').values({ id: 'kept', installation_id: 'ins_1', total: 5 }).execute();
  await sql.raw(alsoRuns).execute(db);
  await db.destroy();
}

for (const [engine, open] of Object.entries(engines)) {
  describe(`the app's own tables on ${engine}`, () => {
    async function prepare(t: TestContext) {
      const { database, target, close } = await open();
      t.after(close);
      const opened = async (migrations?: OwnMigrations) => {
        const again = await openDatabase(target, { migrations });
        await again.close();
      };
      const tables = async () => (await readTables(database.queries)).map(({ name }) => name);
      const names = async (ledger: string) => {
        const text = sql<{ name: string }>`select name from ${sql.table(ledger)} order by name`;
        return (await text.execute(database.queries)).rows.map(({ name }) => name);
      };
      return { database, target, opened, tables, names };
    }

    it('the app’s own migrations are recorded in a separate table, and the app can add them in any order', async (t) => {
      const { opened, tables, names } = await prepare(t);
      const foyers = await names('kysely_migration');
      await opened(orders);
      assert.deepEqual(await names('app_migration'), ['0001-orders']);
      assert.deepEqual(await names('kysely_migration'), foyers);
      // The app adds 0002-notes first and 0000-early later.
      const early: OwnMigrations = {
        '0000-early': { up: (db) => db.schema.createTable('early').addColumn('id', 'text').execute() },
      };
      await opened({ ...orders, ...notes });
      await opened({ ...orders, ...notes, ...early });
      assert.deepEqual(await names('app_migration'), ['0000-early', '0001-orders', '0002-notes']);
      const found = await tables();
      for (const name of ['early', 'notes', 'orders']) assert.ok(found.includes(name), name);
      assert.ok(!found.includes('app_migration'), 'the ledger is not a table of the app');
    });

    it('the app’s own tables stay unchanged when a new version of Foyer migrates its tables', async (t) => {
      const found = await older[engine]?.(t);
      assert.ok(found);
      const { target, close } = found;
      t.after(close);
      const database = await openDatabase(target, { migrations: { ...orders, ...notes } });
      t.after(() => database.close());
      const ledger = async (name: string) =>
        (
          await sql<{ name: string }>`select name from ${sql.table(name)} order by name`.execute(
            database.queries,
          )
        ).rows;
      assert.deepEqual(
        await ledger('kysely_migration'),
        migrationNames.map((name) => ({ name })),
      );
      assert.deepEqual(await ledger('app_migration'), [{ name: '0001-orders' }, { name: '0002-notes' }]);
      assert.deepEqual((await sql`select id, total from orders`.execute(database.queries)).rows, [
        { id: 'kept', total: 5 },
      ]);
    });

    it('a new version of Foyer fails with a clear error if it needs a table name that the app already uses', async (t) => {
      const found = await older[engine]?.(t, 'create table chores (id text primary key)');
      assert.ok(found);
      t.after(found.close);
      await assert.rejects(openDatabase(found.target, { migrations: orders }), {
        code: 'database_unavailable',
        message: /creates a table that the database already has: .*chores.* rename the table in a migration/,
      });
    });

    it('the app’s own tables are created once if several processes start at the same time', async (t) => {
      const { target, tables, names } = await prepare(t);
      const [source, given] = [
        new URL('../../src/database/open-database.ts', import.meta.url).href,
        JSON.stringify(target),
      ];
      const code = `import(${JSON.stringify(source)}).then(async ({ openDatabase }) => {
        const up = (db) => db.schema.createTable('orders').addColumn('id', 'text').execute();
        const database = await openDatabase(${given}, { migrations: { '0001-orders': { up } } });
        await database.close();
        console.log('open');
      })`;
      const run = () => promisify(execFile)(process.execPath, ['-e', code]);
      for (const ended of await Promise.all([run(), run(), run()])) assert.equal(ended.stdout, 'open\n');
      assert.deepEqual(await names('app_migration'), ['0001-orders']);
      assert.ok((await tables()).includes('orders'));
    });

    it('if one of the app’s own migrations fails, Foyer names it and rolls back all migrations that ran in the same start', async (t) => {
      const { opened, tables } = await prepare(t);
      const before = await tables();
      const failing: OwnMigrations = {
        ...orders,
        '0002-broken': {
          async up(db) {
            await db.schema.createTable('half').addColumn('id', 'text').execute();
            await sql`insert into no_such_table values (1)`.execute(db);
          },
        },
      };
      await assert.rejects(opened(failing), (error) => {
        assert.ok(error instanceof OwnMigrationError, String(error));
        assert.equal(error.migration, '0002-broken');
        assert.match(
          error.message,
          /migration 0002-broken fails: .*no_such_table.*Correct it in the definition/,
        );
        return true;
      });
      assert.deepEqual(await tables(), before);
      await opened({ ...orders, ...notes });
    });

    it('Foyer refuses a database if the app’s definition lacks a migration that was already applied to it', async (t) => {
      const { opened, names } = await prepare(t);
      await opened({ ...orders, ...notes });
      for (const older of [orders, undefined]) {
        await assert.rejects(opened(older), (error) => {
          assert.ok(error instanceof DatabaseNewerError);
          return /migrations of the app that its definition does not have \(.*0002-notes\)/.test(
            error.message,
          );
        });
      }
      assert.deepEqual(await names('app_migration'), ['0001-orders', '0002-notes']);
    });

    it('if another Kysely migrator recorded the app’s migrations in Foyer’s migration table, Foyer moves the records to the app’s migration table', async (t) => {
      const { database, opened, names } = await prepare(t);
      const foyers = await names('kysely_migration');
      await orders['0001-orders']?.up(database.queries);
      await sql`insert into kysely_migration values ('0001-orders', '2026-01-01')`.execute(database.queries);
      await assert.rejects(opened(), (error) => {
        assert.ok(error instanceof DatabaseUnavailableError);
        assert.match(
          error.message,
          /not Foyer's \(0001-orders\): another Kysely migrator uses this database too/,
        );
        return /into the definition as `migrations`/.test(error.message);
      });
      await opened({ ...orders, ...notes });
      assert.deepEqual(await names('kysely_migration'), foyers);
      assert.deepEqual(await names('app_migration'), ['0001-orders', '0002-notes']);
    });

    it('rows in the app’s own tables are committed together with Foyer’s rows, or not at all', async (t) => {
      const { target, database } = await prepare(t);
      const withOrders = await openDatabase(target, { migrations: orders });
      t.after(() => withOrders.close());
      for (const [n, id] of ['ins_1', 'ins_2'].entries())
        await storeInstallation(database, { id, team_id: `T${n}` });
      const own = ownDatabase<MyTables>(withOrders);
      const totals = () =>
        own.queries
          .selectFrom('orders')
          .innerJoin('installations', 'installations.id', 'orders.installation_id')
          .select(['orders.id', 'orders.total', 'installations.team_id'])
          .orderBy('orders.id')
          .execute();
      await own.write(async (tx) => {
        await tx
          .insertInto('orders')
          .values(['ins_1', 'ins_2'].map((id, n) => ({ id: `order-${n}`, installation_id: id, total: n })))
          .execute();
      });
      const readOnly = (): Promise<unknown> =>
        own.write((tx) =>
          tx
            .updateTable('installations')
            // @ts-expect-error: Foyer's tables are read-only for the app
            .set({ status: 'broken' })
            .execute(),
        );
      assert.ok(readOnly);
      const both = withOrders.write(async (tx) => {
        await tx.updateTable('installations').set({ status: 'broken' }).where('id', '=', 'ins_1').execute();
        await sql`update orders set total = 99`.execute(tx);
        throw new Error('cut off');
      });
      await assert.rejects(both, /cut off/);
      assert.deepEqual(await totals(), [
        { id: 'order-0', total: 0, team_id: 'T0' },
        { id: 'order-1', total: 1, team_id: 'T1' },
      ]);
      const { status } = await own.queries
        .selectFrom('installations')
        .select('status')
        .where('id', '=', 'ins_1')
        .executeTakeFirstOrThrow();
      assert.equal(status, 'active');
    });
  });
}

it('on SQLite, an app’s query uses a partial index with the condition `total = 1000`, even if the query passes 1000 as a parameter', async (t) => {
  const { target, close } = await engines.SQLite();
  t.after(close);
  const database = await openDatabase(target, { migrations: orders });
  t.after(() => database.close());
  await sql`create index large_orders on orders (id) where total = 1000`.execute(database.queries);
  const own = ownDatabase<MyTables>(database);
  const plan = async (queries: Parameters<RawBuilder<unknown>['execute']>[0]) => {
    const select = sql`explain query plan select id from orders where total = ${1000} order by id`;
    return JSON.stringify((await select.execute(queries)).rows);
  };
  assert.match(await plan(own.queries), /large_orders/);
  assert.match(await own.write((tx) => plan(tx)), /large_orders/);
});
