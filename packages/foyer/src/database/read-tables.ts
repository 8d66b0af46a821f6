import { sql } from 'kysely';
import type { Queries } from './database.ts';
import { writeMarksTable } from './postgres/write-marks.ts';

/** What a cell can hold, in both engines: text, a whole number, or nothing. */
export type Cell = string | number | null;

/** A row by its columns' names. */
export type Row = Readonly<Record<string, Cell>>;

/** A table as it stands in a database. */
export interface FoundTable {
  name: string;
  columns: string[];
}

/**
 * The tables that a database holds where Foyer looks for its own, whoever made them. Kysely's own are left out, and
 * the marks of what is under way in Postgres: they say nothing a moment later.
 */
export async function readTables(queries: Queries): Promise<FoundTable[]> {
  const tables = (await queries.introspection.getTables()).filter(({ isView }) => !isView);
  // SQLite has no schemas; in Postgres others may keep theirs beside the one that is ours.
  const own = tables.some(({ schema }) => schema !== undefined) ? await currentSchema(queries) : undefined;
  return tables
    .filter(({ schema, name }) => schema === own && name !== writeMarksTable)
    .map(({ name, columns }) => ({ name, columns: columns.map((column) => column.name) }));
}

async function currentSchema(queries: Queries): Promise<string | undefined> {
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(queries);
  return rows[0]?.name ?? undefined;
}
