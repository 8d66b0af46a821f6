import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { DatabaseNewerError } from '../../src/database/database.ts';
import { migrationNames, type OwnMigrations } from '../../src/database/migrate.ts';
import { inspectPostgres } from '../../src/database/postgres/inspect-postgres.ts';
import { openPostgres } from '../../src/database/postgres/open-postgres.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';

const run = promisify(execFile);

describe('migrations on Postgres', () => {
  let url: string;
  let drop: () => Promise<void>;
  let client: pg.Client;
  before(async () => {
    ({ url, drop } = await createPostgresDatabase({ empty: true }));
    client = new pg.Client({ connectionString: url });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await drop();
  });
  const ask = async (sql: string) => (await client.query({ text: sql, rowMode: 'array' })).rows.flat();

  it('migrations on Postgres are all rolled back if one of them fails', async () => {
    await client.query('create table history (in_the_way text)');
    await assert.rejects(openPostgres(url), {
      code: 'database_unavailable',
      message:
        /^The database belongs to another program: relation "history" already exists\. Set DATABASE_URL/,
    });
    const tables = await ask(
      "select table_name from information_schema.tables where table_schema = 'public'",
    );
    assert.deepEqual(tables, ['history']);
    await client.query('drop table history');
  });

  it('migrations on Postgres run once if several processes start on an empty database at the same time', async () => {
    const source = new URL('../../src/database/postgres/open-postgres.ts', import.meta.url).href;
    const code = `import(${JSON.stringify(source)}).then(async ({ openPostgres }) => {
      const database = await openPostgres(${JSON.stringify(url)});
      await database.ping();
      await database.close();
      console.log('open');
    })`;
    const outputs = await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, ['-e', code])));
    for (const output of outputs) assert.deepEqual(output, { stdout: 'open\n', stderr: '' });
    assert.deepEqual(await ask('select name from kysely_migration order by name'), migrationNames);
  });

  it('migrations on Postgres change nothing when a migrated database is opened again', async () => {
    const schema = () =>
      ask(
        "select table_name || '.' || column_name || ' ' || data_type from information_schema.columns where table_schema = 'public' order by 1",
      );
    const applied = () => ask('select timestamp from kysely_migration order by name');
    const before = [await schema(), await applied()];
    assert.ok((before[0]?.length ?? 0) > 60);
    await (await openPostgres(url)).close();
    assert.deepEqual([await schema(), await applied()], before);
  });

  it('migrations on Postgres refuse a database that is newer than the code, and leave it unchanged', async () => {
    await client.query("insert into kysely_migration values ('9999-from-the-future', '2099-01-01')");
    await assert.rejects(
      openPostgres(url),
      (error) => error instanceof DatabaseNewerError && /9999-from-the-future/.test(error.message),
    );
    assert.equal((await ask('select name from kysely_migration')).length, migrationNames.length + 1);
  });
});

it('on Postgres, Foyer creates all of its tables in its own schema, even if another Foyer uses another schema', async (t) => {
  const { url, drop } = await createPostgresDatabase({ empty: true });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.after(async () => {
    await client.end();
    await drop();
  });
  const migrations: OwnMigrations = {
    '0001-orders': {
      up: (db) =>
        db.schema
          .createTable('orders')
          .addColumn('id', 'text', (id) => id.primaryKey())
          .execute(),
    },
  };
  const tables: string[][] = [];
  for (const [schema, path] of [
    ['a', 'a'],
    ['b', 'b,a'],
  ] as const) {
    await client.query(`create schema ${schema}`);
    const target = new URL(url);
    target.searchParams.set('options', `-c search_path=${path}`);
    assert.equal((await inspectPostgres(target.href)).isEmpty, true);
    // The second call of `openPostgres` finds the tables that the first call created.
    for (let times = 0; times < 2; times += 1) {
      const database = await openPostgres(target.href, { migrations });
      await database.ping();
      await database.close();
    }
    const found = await client.query({
      text: 'select table_name from information_schema.tables where table_schema = $1 order by 1',
      values: [schema],
      rowMode: 'array',
    });
    tables.push(found.rows.flat());
  }
  assert.deepEqual(tables[1], tables[0]);
  for (const name of ['installations', 'orders', 'kysely_migration', 'app_migration', 'write_marks'])
    assert.ok(tables[0]?.includes(name), name);
});
