import { CompiledQuery, sql } from 'kysely';
import { type Database, DatabaseUnavailableError, type Queries } from '../database.ts';
import type { Cell, Row } from '../read-tables.ts';
import type { CopiedTable } from './copied-tables.ts';
import { CopyError, type CopyPlace } from './copy-mark.ts';

/** SQLite takes 32,766 parameters in a statement, and Postgres 65,535. */
const mostParameters = 30_000;
/** A target that restarts is waited for. */
const patienceMs = 30_000;

export interface CopyRowsDeps {
  /** Of one kind with the target's schema; written by nobody meanwhile, or a snapshot. */
  source: Queries;
  target: Pick<Database, 'write'>;
  tables: readonly CopiedTable[];
  /** Where to go on; from the beginning unless told. */
  from?: CopyPlace | null;
  /** Runs first in each page's transaction: what it stores and the page come to be together, or not at all. */
  onPage?: (transaction: Queries, place: CopyPlace) => Promise<void>;
  /** Is told how many rows were added. */
  onRows?: (rows: number, table: string) => void;
}

/**
 * Copies every row as it is, page by page, each page in a transaction of its own.
 * @throws CopyError, DatabaseUnavailableError
 */
export async function copyRows(deps: CopyRowsDeps): Promise<void> {
  const { source, target, tables, from, onPage, onRows } = deps;
  const start = from ? tables.findIndex(({ name }) => name === from.table) : 0;
  for (const table of tables.slice(Math.max(0, start))) {
    const after = table.name === from?.table ? from.key : undefined;
    for await (const page of readPages(source, table, after)) {
      const last = page.at(-1);
      if (!last) break;
      try {
        await target.write(async (transaction) => {
          await onPage?.(transaction, { table: table.name, key: keyOf(table, last) });
          await insertRows(transaction, table, page);
        }, patienceMs);
      } catch (error) {
        throw told(error, table);
      }
      onRows?.(page.length, table.name);
    }
  }
}

async function insertRows(transaction: Queries, table: CopiedTable, rows: readonly Row[]): Promise<void> {
  const most = Math.floor(mostParameters / table.columns.length);
  for (let at = 0; at < rows.length; at += most) {
    const part = rows.slice(at, at + most);
    const cells = part.flatMap((row) => table.columns.map((column) => row[column] ?? null));
    await transaction.executeQuery(CompiledQuery.raw(insertText(transaction, table, part.length), cells));
  }
}

const texts = new WeakMap<CopiedTable, Map<number, string>>();

/** The statement that inserts so many rows. Built once, since building it takes longer than running it. */
function insertText(queries: Queries, table: CopiedTable, rows: number): string {
  const known = texts.get(table) ?? new Map<number, string>();
  texts.set(table, known);
  const text = known.get(rows) ?? buildInsert(queries, table, rows);
  known.set(rows, text);
  return text;
}

function buildInsert(queries: Queries, table: CopiedTable, rows: number): string {
  const columns = sql.join(table.columns.map((column) => sql.ref(column)));
  const row = sql`(${sql.join(table.columns.map(() => null))})`;
  const values = sql.join(Array.from({ length: rows }, () => row));
  return sql`insert into ${sql.table(table.name)} (${columns}) values ${values}`.compile(queries).sql;
}

/** A child without its parent, or the same row twice, is what a source that changes looks like. */
function told(error: unknown, table: CopiedTable): unknown {
  if (error instanceof CopyError || error instanceof DatabaseUnavailableError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(?:23|SQLITE_CONSTRAINT)/.test(code)) {
    return new CopyError('source_changed', `Rows of ${table.name} do not fit to what was copied before.`, {
      cause: error,
    });
  }
  if (/^(?:22|SQLITE_)/.test(code)) {
    const reason = error instanceof Error ? error.message : '';
    return new CopyError('row_refused', `The target refuses rows of ${table.name}: ${reason}.`, {
      cause: error,
    });
  }
  return error;
}

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
