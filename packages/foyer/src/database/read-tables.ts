import { sql } from 'kysely';
import type { Queries } from './database.ts';
import { ownLedgerTables } from './migrate.ts';
import { writeMarksTable } from './postgres/write-marks.ts';

export interface FoundTable {
  name: string;
  columns: string[];
}

/**
 * Lists the tables in Foyer's schema: Foyer's, the app's and those of other programs. Omits the migration ledgers, and
 * in Postgres the table of write marks, because its rows are outdated a moment later.
 */
export async function readTables(queries: Queries): Promise<FoundTable[]> {
  const tables = (await queries.introspection.getTables()).filter(({ isView }) => !isView);
  // SQLite has no schemas; in Postgres, other programs may have schemas next to ours.
  const own = tables.some(({ schema }) => schema !== undefined) ? await currentSchema(queries) : undefined;
  return tables
    .filter(({ schema, name }) => schema === own && !unlisted.includes(name))
    .map(({ name, columns }) => ({ name, columns: columns.map((column) => column.name) }));
}

const unlisted = [writeMarksTable, ...ownLedgerTables];

async function currentSchema(queries: Queries): Promise<string | undefined> {
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(queries);
  return rows[0]?.name ?? undefined;
}
