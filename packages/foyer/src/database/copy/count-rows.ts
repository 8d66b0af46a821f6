import { sql } from 'kysely';
import type { Queries } from '../database.ts';
import type { CopiedTable } from './copied-tables.ts';

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
