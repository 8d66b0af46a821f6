import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Kysely, sql } from 'kysely';
import { type DatabaseTarget, parseDatabaseUrl } from '../../src/config/database-target.ts';
import { engineOf } from '../../src/database/copy/table-shapes.ts';
import type { Queries } from '../../src/database/database.ts';
import type { OwnMigrations } from '../../src/database/migrate.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { openExistingDatabase } from '../../src/operator/open-existing-database.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import type { EngineName } from '../support/stage-database.ts';
import { fillEveryTable } from './fill-every-table.ts';
import { createOperatorHarness } from './operator-harness.ts';

const oddTable = 'App’s "odd".table';
const oddColumn = 'a.b, "c"';

/**
 * Tables with a column of each type that both engines can hold. Some refer to a table whose name sorts after theirs, so
 * `copy` must not copy the tables in the order of their names.
 */
const migrations: OwnMigrations = {
  '0001-orders': {
    async up(db: Queries) {
      const isPostgres = engineOf(db) === 'Postgres';
      await db.schema
        .createTable('z_plans')
        .addColumn('id', 'integer', (column) =>
          isPostgres ? column.primaryKey().generatedAlwaysAsIdentity() : column.primaryKey(),
        )
        .addColumn('name', 'varchar(50)', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('a_orders')
        .addColumn('installation_id', 'text', (column) =>
          column.notNull().references('installations.id').onDelete('cascade'),
        )
        .addColumn('number', 'bigint', (column) => column.notNull())
        .addColumn('plan_id', 'integer', (column) => column.references('z_plans.id'))
        .addColumn('is_paid', 'boolean')
        .addColumn('total', 'float8')
        .addColumn('receipt', isPostgres ? 'bytea' : 'blob')
        .addColumn('data', isPostgres ? 'jsonb' : 'text')
        .addColumn('paid_at', isPostgres ? 'timestamptz' : 'text')
        .addColumn('due', isPostgres ? 'date' : 'text')
        .addColumn('token', isPostgres ? 'uuid' : 'text')
        .addColumn('cents', 'integer', (column) => column.generatedAlwaysAs(sql`plan_id * 100`).stored())
        .addPrimaryKeyConstraint('a_orders_pk', ['installation_id', 'number'])
        .execute();
      // INSTALLATIONS is in capitals on purpose: both engines find the table `installations` under this name too.
      await sql`create table ${sql.id(oddTable)} (${sql.id(oddColumn)} text primary key,
        "order" text references INSTALLATIONS (id) on delete cascade)`.execute(db);
      // The migration inserts this row in the target too; in the source, the test changes the row.
      await sql`insert into z_plans (name) values ('free')`.execute(db);
    },
  },
};

/** Returns `migrations` and a further migration, `name`, that creates a table. */
const withTable = (name: string, create: (db: Kysely<unknown>) => Promise<unknown>): OwnMigrations => ({
  ...migrations,
  [name]: {
    async up(db) {
      await create(db);
    },
  },
});

async function prepare(
  t: TestContext,
  { from, to, own = migrations }: { from: EngineName; to: EngineName; own?: OwnMigrations },
) {
  const harness = await createOperatorHarness(t, {}, from);
  await fillEveryTable(harness.database, 3);
  const source = harness.config.database;
  const postgres = to === 'Postgres' ? await createPostgresDatabase({ empty: true }) : undefined;
  if (postgres) t.after(postgres.drop);
  const url = postgres?.url ?? `file:${join(harness.folder, 'target', 'foyer.db')}`;
  const target = parseDatabaseUrl(url);
  assert.ok(target);
  await harness.database.close();
  async function look<T>(at: DatabaseTarget, work: (queries: Queries) => Promise<T>): Promise<T> {
    const database = await openDatabase(at, { migrations: own });
    return work(database.queries).finally(() => database.close());
  }
  await look(source, fillOwnTables);
  const options = {
    migrations: own,
    openDatabase: (at: DatabaseTarget) => openExistingDatabase(at, own),
  };
  const run = (line: readonly string[]) => harness.run(line, options);
  return { ...harness, source, target, url, look, run, copy: () => run(['copy', '--to', url, '--json']) };
}

const beyondDoubles = '9007199254740993';

async function fillOwnTables(db: Queries): Promise<void> {
  await sql`update z_plans set name = 'Free'`.execute(db);
  const overriding = engineOf(db) === 'Postgres' ? sql`overriding system value` : sql``;
  await sql`insert into z_plans (id, name) ${overriding} values (7, '007')`.execute(db);
  const ids = await sql<{ id: string }>`select id from installations order by id`.execute(db);
  for (const [n, { id }] of ids.rows.entries()) {
    const [isPaid, receipt] =
      engineOf(db) === 'Postgres'
        ? [n % 2 === 0, Buffer.from([n, 0, 255])]
        : [n % 2, Buffer.from([n, 0, 255])];
    await sql`insert into a_orders
      (installation_id, number, plan_id, is_paid, total, receipt, data, paid_at, due, token) values
      (${id}, ${beyondDoubles}, 7, ${isPaid}, ${0.1 + n}, ${receipt}, ${`{"b": ${n}, "a": [1.5, null, "ü"]}`},
       ${`2026-11-22 01:47:03.${n}Z`}, '2026-12-31', ${`0b0e9c2a-0000-4000-8000-00000000000${n}`}),
      (${id}, ${-n}, null, null, null, null, null, null, null, null)`.execute(db);
    await sql`insert into ${sql.id(oddTable)} values (${`odd ${n}`}, ${id})`.execute(db);
  }
}

/** The rows of the app's own tables, in a form that is the same on both engines. */
async function ownRows(db: Queries): Promise<unknown> {
  const isPostgres = engineOf(db) === 'Postgres';
  const { rows } = await sql<Record<string, unknown>>`
    select installation_id, cast(number as text) as number, plan_id, cast(is_paid as integer) as paid, total,
           ${isPostgres ? sql`encode(receipt, 'hex')` : sql`lower(hex(receipt))`} as receipt,
           ${isPostgres ? sql`data::text` : sql`data`} as data,
           ${isPostgres ? sql`to_char(paid_at at time zone 'UTC', 'HH24:MI:SS.MS')` : sql`substr(paid_at, 12, 10) || '00'`} as paid_at,
           cast(due as text) as due, cast(token as text) as token, cents
      from a_orders order by installation_id, a_orders.number`.execute(db);
  const plans = await sql`select id, name from z_plans order by id`.execute(db);
  const odd = await sql`select * from ${sql.id(oddTable)} order by ${sql.id(oddColumn)}`.execute(db);
  const texts = rows.map((row) => ({
    ...row,
    receipt: row.receipt || null,
    data: row.data && JSON.parse(String(row.data)),
  }));
  return {
    orders: texts.toSorted((one, two) => (JSON.stringify(one) < JSON.stringify(two) ? -1 : 1)),
    plans: plans.rows,
    odd: odd.rows,
  };
}

describe('the app’s own tables', () => {
  for (const [from, to] of [
    ['SQLite', 'Postgres'],
    ['Postgres', 'SQLite'],
    ['SQLite', 'SQLite'],
    ['Postgres', 'Postgres'],
  ] as const) {
    it(`\`copy\` copies each value of the app’s own tables from ${from} to ${to}, and the next generated id is unused`, async (t) => {
      const { copy, look, source, target } = await prepare(t, { from, to });
      const before = await look(source, ownRows);
      const { exitCode, stdout, stderr } = await copy();
      assert.equal(exitCode, 0, stderr);
      assert.equal(stderr, '');
      const copied: { table: string; source: { rows: number } }[] = JSON.parse(stdout).tables;
      const rows = Object.fromEntries(copied.map((each) => [each.table, each.source.rows]));
      assert.deepEqual([rows.a_orders, rows.z_plans, rows[oddTable], rows.installations], [6, 2, 3, 3]);
      assert.deepEqual(await look(target, ownRows), before);
      const next = await look(target, async (db) => {
        await sql`insert into z_plans (name) values ('Pro')`.execute(db);
        return (await sql<{ id: number }>`select max(id) as id from z_plans`.execute(db)).rows;
      });
      assert.deepEqual(next, [{ id: 8 }]);
    });
  }

  for (const from of ['SQLite', 'Postgres'] as const) {
    it(`a backup of ${from} holds every row of the app’s own tables, and opens with the app’s migrations`, async (t) => {
      const { run, look, source, folder } = await prepare(t, { from, to: 'SQLite' });
      const file = join(folder, 'backup.db');
      const { exitCode, stderr } = await run(['backup', file, '--json']);
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(await look({ kind: 'sqlite', file }, ownRows), await look(source, ownRows));
    });
  }

  const refused: [why: string, from: EngineName, to: EngineName, create: string, problem: RegExp][] = [
    [
      'without a primary key',
      'SQLite',
      'Postgres',
      'create table notes (text text)',
      /notes: it has no primary key/,
    ],
    [
      'without a primary key',
      'Postgres',
      'SQLite',
      'create table notes (text text)',
      /notes: it has no primary key/,
    ],
    [
      'that refers to itself',
      'SQLite',
      'Postgres',
      'create table notes (id text primary key, parent text references notes (id))',
      /notes: it refers to itself/,
    ],
    [
      'with a column type that the other engine does not have',
      'Postgres',
      'SQLite',
      'create table notes (id text primary key, price numeric)',
      /notes\.price: it is numeric, which has no equivalent in SQLite/,
    ],
    [
      'with a column that holds values of any type',
      'SQLite',
      'SQLite',
      'create table notes (id text primary key, value any) strict',
      /notes\.value: it has no type/,
    ],
    [
      'that is a materialized view',
      'Postgres',
      'Postgres',
      'create materialized view "paid.orders" as select count(*) from a_orders',
      /^ {2}paid\.orders: it is a materialized view$/m,
    ],
    [
      'with partitions',
      'Postgres',
      'Postgres',
      `create table notes (id int primary key) partition by range (id);
       create table notes_1 partition of notes for values from (0) to (10)`,
      /^ {2}notes_1: its rows are also rows of notes$/m,
    ],
    [
      'that other tables inherit from',
      'Postgres',
      'Postgres',
      'create table notes (id int primary key); create table longer (primary key (id)) inherits (notes)',
      /^ {2}longer: its rows are also rows of notes$/m,
    ],
    [
      'that a foreign key links to a table in another schema',
      'Postgres',
      'Postgres',
      `create schema billing; create table billing.bills (id int primary key);
       create table billing.lines (id int primary key, plan int references z_plans (id));
       create table notes (id int primary key references billing.bills (id))`,
      /^ {2}billing\.bills: it is in another schema, .*\n {2}billing\.lines: it is in another schema/m,
    ],
    [
      'with a trigger that changes rows',
      'SQLite',
      'SQLite',
      'create trigger "on plan" after insert on Z_PLANS begin update z_plans set name = upper(name); end',
      /z_plans: its trigger on plan could change rows of the target/,
    ],
    [
      'with a trigger that changes rows',
      'Postgres',
      'Postgres',
      `create function louder() returns trigger language plpgsql as 'begin new.name = upper(new.name); return new; end';
       create trigger "on plan" before insert or update on z_plans for each row execute function louder()`,
      /z_plans: its trigger on plan could change rows of the target/,
    ],
  ];
  for (const [why, from, to, create, problem] of refused) {
    it(`\`copy\` refuses an app’s own table ${why} (${from})`, async (t) => {
      const own = withTable('0002-notes', (db) => sql.raw(create).execute(db));
      const { copy } = await prepare(t, { from, to, own });
      const { exitCode, stdout, stderr } = await copy();
      assert.deepEqual([exitCode, stdout], [1, '']);
      assert.match(stderr, problem);
      assert.match(stderr, /Change them with a migration in the definition/);
    });
  }

  for (const from of ['SQLite', 'Postgres'] as const) {
    it(`\`copy\` refuses an app’s own table that no migration creates in the target (${from})`, async (t) => {
      const { copy, run, look, source, folder } = await prepare(t, { from, to: 'SQLite' });
      await look(source, (db) => sql`create table by_hand (id text primary key)`.execute(db));
      const refusedCopy = await copy();
      assert.deepEqual([refusedCopy.exitCode, refusedCopy.stdout], [1, '']);
      assert.match(refusedCopy.stderr, /by_hand: no migration creates this table in the target/);
      const backup = await run(['backup', join(folder, 'backup.db')]);
      // On SQLite, a backup copies the whole file. On Postgres, a backup would miss this table, so `backup` refuses.
      assert.equal(backup.exitCode, from === 'SQLite' ? 0 : 1);
      if (from === 'Postgres') assert.match(backup.stderr, /by_hand: no migration creates this table/);
    });
  }

  it('`copy` names the row in which SQLite holds a value that is not of the column’s type', async (t) => {
    const { copy, look, source } = await prepare(t, { from: 'SQLite', to: 'Postgres' });
    await look(source, (db) => sql`update a_orders set due = 'soon' where number > 0`.execute(db));
    const { exitCode, stderr } = await copy();
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /a_orders\.due holds a value that is not of its type \(date\), in the row with installation_id ins_\w+, number 9007199254740993/,
    );
    assert.doesNotMatch(stderr, /soon/, 'the values are the app’s own data');
  });

  it('`backup` refuses a Postgres database if a migration of the app does not run on SQLite', async (t) => {
    const own = withTable('0002-postgres', (db) =>
      engineOf(db as Queries) === 'Postgres'
        ? sql`select 1`.execute(db)
        : sql`create extension citext`.execute(db),
    );
    const { run, folder } = await prepare(t, { from: 'Postgres', to: 'SQLite', own });
    const { exitCode, stderr } = await run(['backup', join(folder, 'backup.db')]);
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /the app's migration 0002-postgres does not run on SQLite: .*or back up with pg_dump/,
    );
  });
});

it('a copy to Postgres accepts a table whose highest id is 0', async (t) => {
  const own = withTable('0002-levels', async (db) => {
    const isPostgres = engineOf(db as Queries) === 'Postgres';
    await db.schema
      .createTable('levels')
      .addColumn('id', 'integer', (column) =>
        isPostgres ? column.primaryKey().generatedByDefaultAsIdentity() : column.primaryKey(),
      )
      .execute();
    await sql`insert into levels (id) values (0)`.execute(db);
  });
  const { copy, look, target } = await prepare(t, { from: 'SQLite', to: 'Postgres', own });
  const { exitCode, stderr } = await copy();
  assert.equal(exitCode, 0, stderr);
  const ids = await look(target, async (db) => {
    await sql`insert into levels default values`.execute(db);
    return (await sql<{ id: number }>`select id from levels order by id`.execute(db)).rows;
  });
  assert.deepEqual(ids, [{ id: 0 }, { id: 1 }]);
});
