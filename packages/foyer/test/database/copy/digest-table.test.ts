import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { digestTable } from '../../../src/database/copy/compare-tables.ts';
import { matchTables } from '../../../src/database/copy/copied-tables.ts';
import { fillEveryTable } from '../../operator/fill-every-table.ts';
import { engines, openTestDatabase } from '../../support/open-test-database.ts';

describe('the digest of a table', () => {
  it('the digest of a table changes if a cell of any column changes', async (t) => {
    const { database, close } = await openTestDatabase();
    t.after(close);
    await fillEveryTable(database, 3);
    const { queries } = database;
    await sql`pragma foreign_keys = off`.execute(queries);
    for (const table of await matchTables(queries, queries)) {
      const before = await digestTable(queries, table);
      assert.equal(before.rows, 3);
      for (const { name: column } of table.columns) {
        const [name, cell] = [sql.table(table.name), sql.ref(column)];
        const first = sql`rowid = (select min(rowid) from ${name})`;
        const was = await sql<{ cell: unknown }>`select ${cell} as cell from ${name} where ${first}`.execute(
          queries,
        );
        await sql`update ${name} set ${cell} = 7007 where ${first}`.execute(queries);
        const after = await digestTable(queries, table);
        assert.notEqual(after.checksum, before.checksum, `${table.name}.${column}`);
        await sql`update ${name} set ${cell} = ${was.rows[0]?.cell} where ${first}`.execute(queries);
        assert.deepEqual(await digestTable(queries, table), before);
      }
    }
  });

  it('the digest of a table distinguishes null, an empty string, and strings such as “null” and “1”', async (t) => {
    const { database, close } = await openTestDatabase();
    t.after(close);
    const { queries } = database;
    const [table] = (await matchTables(queries, queries)).filter(({ name }) => name === 'teams');
    assert.ok(table);
    const row = { client_id: '1.2', team_id: 'T1', icon_url: null, enterprise_id: null };
    await queries
      .insertInto('teams')
      .values({ ...row, name: null, domain: '', first_seen_at: 1, updated_at: 1 })
      .execute();
    const seen = new Set<string>();
    for (const name of [null, '', 'null', '1', '[]']) {
      await queries.updateTable('teams').set({ name }).execute();
      seen.add((await digestTable(queries, table)).checksum);
      await queries.updateTable('teams').set({ name: '', domain: name }).execute();
      seen.add((await digestTable(queries, table)).checksum);
      await queries.updateTable('teams').set({ domain: '' }).execute();
    }
    assert.equal(seen.size, 9, 'the row with both fields empty occurs twice');
  });

  it('the digest of a table is the same on SQLite and Postgres', async (t) => {
    const found: unknown[] = [];
    for (const open of Object.values(engines)) {
      const { database, close } = await open();
      t.after(close);
      await fillEveryTable(database, 20);
      const digests = [];
      for (const table of await matchTables(database.queries, database.queries)) {
        digests.push([table.name, await digestTable(database.queries, table)]);
      }
      found.push(digests);
    }
    assert.deepEqual(found[0], found[1]);
  });
});
