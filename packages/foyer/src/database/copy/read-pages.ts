import { sql } from 'kysely';
import type { Queries } from '../database.ts';
import type { Cell, Row } from './cell.ts';
import type { CopiedTable } from './copied-tables.ts';

/** As many rows are held at once, twice over: while one page is worked on, the next one is read. */
const pageRows = 1000;

/** The values of a row's primary key. */
export function keyOf(table: CopiedTable, row: Row): Cell[] {
  return table.key.map((column) => row[column] ?? null);
}

/** Reads a table in pages, in the order of its primary key, behind the row whose key is `after`. */
export async function* readPages(
  queries: Queries,
  table: CopiedTable,
  after?: readonly Cell[],
): AsyncGenerator<Row[]> {
  let next = readPage(queries, table, after);
  try {
    for (;;) {
      const page = await next;
      const last = page.at(-1);
      if (!last) return;
      if (page.length < pageRows) {
        yield page;
        return;
      }
      next = readPage(queries, table, keyOf(table, last));
      // Whoever asks for the next page hears of its failure; nobody may ask.
      next.catch(() => {});
      yield page;
    }
  } finally {
    // What still reads must not meet a database that is being closed.
    await next.catch(() => {});
  }
}

async function readPage(queries: Queries, table: CopiedTable, after?: readonly Cell[]): Promise<Row[]> {
  const key = sql.join(table.key.map((column) => sql.ref(column)));
  const columns = sql.join(table.columns.map((column) => sql.ref(column)));
  const behind = after ? sql`where (${key}) > (${sql.join(after)})` : sql``;
  const { rows } = await sql<Row>`
    select ${columns} from ${sql.table(table.name)} ${behind} order by ${key} limit ${sql.lit(pageRows)}`.execute(
    queries,
  );
  return rows;
}
