import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { DatabaseNewerError, DatabaseUnavailableError } from '../../src/database/database.ts';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';

const run = promisify(execFile);

describe('migrations', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foyer-migrate-'));
    file = join(folder, 'foyer.db');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('migrations create the tables in a fresh database, and change nothing when it is opened again', async () => {
    const schema = () => {
      const sqlite = new Sqlite(file, { readonly: true });
      const rows = sqlite.prepare('select type, name, sql from sqlite_master order by name').all();
      const applied = sqlite.prepare('select name, timestamp from kysely_migration').all();
      sqlite.close();
      return { rows, applied };
    };
    await (await openSqlite(file)).close();
    const first = schema();
    assert.ok(first.rows.length > 14);
    await (await openSqlite(file)).close();
    assert.deepEqual(schema(), first);
  });

  it('migrations that a database lacks are run, even if it already has migrations with higher numbers', async () => {
    await (await openSqlite(file)).close();
    const before = new Sqlite(file);
    before.exec(`drop index runs_by_pipeline; drop index runs_opened; drop index runs_waiting;
      alter table runs drop column moment; delete from kysely_migration where name = '0017-moments'`);
    before.close();
    await (await openSqlite(file)).close();
    const after = new Sqlite(file, { readonly: true });
    const columns = after.prepare("select name from pragma_table_info('runs')").pluck().all();
    after.close();
    assert.ok(columns.includes('moment'));
  });

  it('migrations run once if several processes start at the same time', async () => {
    const source = new URL('../../src/database/sqlite/open-sqlite.ts', import.meta.url).href;
    const code = `import(${JSON.stringify(source)}).then(async ({ openSqlite }) => {
      const database = await openSqlite(${JSON.stringify(file)});
      await database.ping();
      await database.close();
      console.log('open');
    })`;
    const outputs = await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, ['-e', code])));
    assert.deepEqual(
      outputs.map(({ stdout }) => stdout),
      ['open\n', 'open\n', 'open\n', 'open\n'],
    );
    const sqlite = new Sqlite(file, { readonly: true });
    const applied = sqlite.prepare('select name from kysely_migration').pluck().all();
    sqlite.close();
    assert.ok(applied.includes('0001-initial'));
    assert.equal(new Set(applied).size, applied.length);
  });

  it('migrations are all rolled back if one of them fails', async () => {
    const sqlite = new Sqlite(file);
    sqlite.exec('create table history (in_the_way text)');
    await assert.rejects(openSqlite(file), /history/);
    const tables = sqlite.prepare("select name from sqlite_master where type = 'table'").pluck().all();
    sqlite.close();
    assert.equal(tables.includes('installations'), false);
  });

  it('migrations refuse a database that is newer than the code, and leave it unchanged', async () => {
    await (await openSqlite(file)).close();
    const sqlite = new Sqlite(file);
    const count = Number(sqlite.prepare('select count(*) from kysely_migration').pluck().get());
    sqlite.exec("insert into kysely_migration values ('9999-from-the-future', '2099-01-01')");
    sqlite.close();
    await assert.rejects(
      openSqlite(file),
      (error) => error instanceof DatabaseNewerError && /9999-from-the-future/.test(error.message),
    );
    const again = new Sqlite(file, { readonly: true });
    assert.equal(again.prepare('select count(*) from kysely_migration').pluck().get(), count + 1);
    again.close();
  });

  it('migrations refuse a database that has the tables or the migrations of another program', async () => {
    const theirs = {
      'table "users" already exists': 'create table users (id integer)',
      'it has the migration 001-theirs':
        "create table kysely_migration (name text, timestamp text); insert into kysely_migration values ('001-theirs', '2020')",
    };
    for (const [index, [reason, schema]] of Object.entries(theirs).entries()) {
      const another = join(folder, `another-${index}.db`);
      const sqlite = new Sqlite(another);
      sqlite.exec(schema);
      const objects = () => sqlite.prepare('select count(*) from sqlite_master').pluck().get();
      const before = objects();
      await assert.rejects(openSqlite(another), (error) => {
        assert.ok(error instanceof DatabaseUnavailableError);
        assert.ok(
          error.message.startsWith(`The database belongs to another program: ${reason}.`),
          error.message,
        );
        return /Set DATABASE_URL to a database that no other program uses/.test(error.message);
      });
      assert.equal(objects(), before);
      sqlite.close();
    }
  });
});
