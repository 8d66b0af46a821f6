import { sql } from 'kysely';
import type { Database, Queries } from '../database.ts';
import { readTables } from '../read-tables.ts';
import type { Tables } from '../records.ts';
import { copyMarkTable } from './copy-mark.ts';

/** A table that is copied. */
export interface CopiedTable {
  name: string;
  /** The columns of its primary key: rows are read in their order. */
  key: readonly string[];
  columns: readonly string[];
}

/** THE list of what is copied: every table by its primary key, parents before those that refer to them. */
const primaryKeys: { readonly [Name in keyof Tables]: readonly (keyof Tables[Name] & string)[] } = {
  installations: ['id'],
  user_tokens: ['installation_id', 'user_id'],
  teams: ['client_id', 'team_id'],
  users: ['client_id', 'user_id'],
  memberships: ['client_id', 'team_id', 'user_id'],
  team_access: ['client_id', 'enterprise_id', 'team_id'],
  install_requests: ['id'],
  runs: ['id'],
  steps: ['run_id', 'name'],
  step_attempts: ['run_id', 'step_name', 'attempt'],
  welcomes: ['installation_id', 'life', 'user_id'],
  history: ['id'],
  home_views: ['installation_id', 'user_id'],
  connections: ['id'],
  used_links: ['client_id', 'jti'],
  encryption_keys: ['id'],
  key_holders: ['process'],
  operator_notices: ['cause_id', 'channel'],
  chores: ['name'],
  ended_sessions: ['id'],
};

/** The names of the tables that are copied. */
export const copiedTableNames: readonly string[] = Object.keys(primaryKeys);

/**
 * The tables of a database that is up to date, with the columns that they have there. Throws where a table is not in
 * the list above: it would be forgotten.
 */
export async function copiedTables(queries: Queries): Promise<CopiedTable[]> {
  const found = new Map((await readTables(queries)).map(({ name, columns }) => [name, columns]));
  found.delete(copyMarkTable);
  const forgotten = [...found.keys()].filter((name) => !copiedTableNames.includes(name));
  if (forgotten.length > 0) throw new Error(`copied-tables.ts does not list ${forgotten.join(', ')}`);
  return Object.entries(primaryKeys).map(([name, key]) => {
    const columns = found.get(name);
    if (!columns) throw new Error(`the table ${name} is missing`);
    return { name, key, columns: columns.toSorted() };
  });
}

/** How many rows each table holds; those that hold none are left out. */
export async function countRows(
  queries: Queries,
  tables: readonly CopiedTable[],
): Promise<{ table: string; rows: number }[]> {
  const counts: { table: string; rows: number }[] = [];
  for (const { name } of tables) {
    const { rows } = await sql<{
      rows: number;
    }>`select count(*) as rows from ${sql.table(name)}`.execute(queries);
    counts.push({ table: name, rows: rows[0]?.rows ?? 0 });
  }
  return counts.filter((count) => count.rows > 0);
}

/** Whether any table holds a row. Looks at one of each, so that it is quick within a transaction. */
export async function holdsRows(queries: Queries, tables: readonly CopiedTable[]): Promise<boolean> {
  for (const { name } of tables) {
    const { rows } = await sql`select 1 as one from ${sql.table(name)} limit 1`.execute(queries);
    if (rows.length > 0) return true;
  }
  return false;
}

const batchRows = 2000;
const patienceMs = 30_000;

/** Deletes every row of every table, children first, in short transactions; `onBatch` runs within each. */
export async function clearRows(
  target: Pick<Database, 'write'>,
  tables: readonly CopiedTable[],
  onBatch: (transaction: Queries) => Promise<void>,
): Promise<void> {
  for (const table of tables.toReversed()) {
    const name = sql.table(table.name);
    const key = sql.join(table.key.map((column) => sql.ref(column)));
    const batch = sql`delete from ${name} where (${key}) in (select ${key} from ${name} limit ${sql.lit(batchRows)})`;
    for (let deleted = 1n; deleted > 0n; ) {
      deleted = await target.write(async (transaction) => {
        await onBatch(transaction);
        return (await batch.execute(transaction)).numAffectedRows ?? 0n;
      }, patienceMs);
    }
  }
}
