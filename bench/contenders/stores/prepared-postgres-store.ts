import { Client } from 'pg';
import type { BenchStore } from './bench-store.ts';
import { fetchSql, keyOf, newRow, openRow, removeSql, type TokenRow } from './plain-statements.ts';

/** Sends named statements through one pg connection. Because they have names, Postgres parses each only once. */
export async function preparedPostgresStore(url: string): Promise<BenchStore> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const named = (name: string, text: string) => ({ name, text: numbered(text) });
  const [fetch, remove] = [named('fetch', fetchSql), named('remove', removeSql)];
  return {
    store(installation) {
      const { columns, values } = newRow(installation.team.id);
      const text = `insert into installations (${columns}) values (${columns.map(() => '?')})`;
      return client.query({ ...named('store', text), values });
    },
    async fetch(teamId) {
      const { rows } = await client.query<TokenRow>({ ...fetch, values: keyOf(teamId) });
      return openRow(rows[0], teamId);
    },
    remove: (teamId) => client.query({ ...remove, values: keyOf(teamId) }),
    close: () => client.end(),
  };
}

/** Postgres numbers its parameters: $1, $2. */
function numbered(sql: string): string {
  let count = 0;
  return sql.replaceAll('?', () => `$${++count}`);
}
