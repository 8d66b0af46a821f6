import type { Queries } from './database.ts';
import { currentSchema, ownLedgerTables } from './migrate.ts';
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
  const own = await currentSchema(queries);
  return tables
    .filter(({ schema, name }) => schema === own && !unlisted.includes(name))
    .map(({ name, columns }) => ({ name, columns: columns.map((column) => column.name) }));
}

const unlisted = [writeMarksTable, ...ownLedgerTables];
