import { CompiledQuery, sql } from 'kysely';
import { type Database, DatabaseUnavailableError, type Queries, type Tx } from '../database.ts';
import { type Cell, carriedCell, readingOf } from './carried-values.ts';
import { type CopiedTable, patienceMs } from './copied-tables.ts';
import { CopyError, type CopyPlace, type KeyCell } from './copy-mark.ts';
import { engineOf } from './table-shapes.ts';

/** SQLite accepts 32,766 parameters in a statement, and Postgres 65,535. */
const mostParameters = 30_000;
interface CopyRowsDeps {
  /** Has the target's schema, and must not change during the copy: a snapshot, or a database that no one writes to. */
  source: Queries;
  target: Pick<Database, 'write'>;
  tables: readonly CopiedTable[];
  /** Where to continue; from the beginning by default. */
  from?: CopyPlace | null;
  /** Runs at the start of each page's transaction. Its writes are committed together with the page, or not at all. */
  onPage?: (tx: Tx, place: CopyPlace) => Promise<void>;
  /** Called with the number of rows that were added. */
  onRows?: (rows: number, table: string) => void;
}

/**
 * Copies every row, one page after another, each page in its own transaction.
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
        await target.write(async (tx) => {
          await onPage?.(tx, { table: table.name, key: last.key });
          await insertRows(tx, table, page);
        }, patienceMs);
      } catch (error) {
        throw copyErrorFor(error, table);
      }
      onRows?.(page.length, table.name);
    }
  }
}

async function insertRows(tx: Tx, table: CopiedTable, rows: readonly ReadRow[]): Promise<void> {
  const most = Math.floor(mostParameters / table.columns.length);
  for (let at = 0; at < rows.length; at += most) {
    const part = rows.slice(at, at + most);
    const cells = part.flatMap((row) => row.cells);
    await tx.executeQuery(CompiledQuery.raw(insertText(tx, table, part.length), cells));
  }
}

const texts = new WeakMap<CopiedTable, Map<number, string>>();

/**
 * Returns the statement that inserts this many rows. Builds it only once for each table and number of rows, because
 * building it takes longer than running it.
 */
function insertText(queries: Queries, table: CopiedTable, rows: number): string {
  const known = texts.get(table) ?? new Map<number, string>();
  texts.set(table, known);
  const text = known.get(rows) ?? buildInsert(queries, table, rows);
  known.set(rows, text);
  return text;
}

function buildInsert(queries: Queries, table: CopiedTable, rows: number): string {
  const columns = sql.join(table.columns.map(({ name }) => sql.id(name)));
  const row = sql`(${sql.join(table.columns.map(() => null))})`;
  const values = sql.join(Array.from({ length: rows }, () => row));
  // Without `overriding system value`, a column that is `generated always as identity` refuses values.
  const overriding = engineOf(queries) === 'Postgres' ? sql`overriding system value` : sql``;
  return sql`insert into ${sql.id(table.name)} (${columns}) ${overriding} values ${values}`.compile(queries)
    .sql;
}

/**
 * Translates a failed insert. A constraint violation becomes `source_changed`, because it means that the source changed
 * during the copy. If the target rejects a value, the error becomes `row_refused`. Returns any other error unchanged.
 */
function copyErrorFor(error: unknown, table: CopiedTable): unknown {
  if (error instanceof CopyError || error instanceof DatabaseUnavailableError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(?:23|SQLITE_CONSTRAINT)/.test(code)) {
    return new CopyError('source_changed', `Rows of ${table.name} do not match what was copied before.`, {
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

/**
 * The maximum number of rows in a page. Up to twice as many are in memory, because Foyer reads the next page while it
 * processes one.
 */
const pageRows = 1000;

/** A row in transit: its cells in the order of the table's columns, and its primary key as the database has it. */
export interface ReadRow {
  cells: readonly Cell[];
  key: readonly KeyCell[];
}

/**
 * Reads a table in pages, in the order of its primary key, starting after the row whose key is `after`.
 * @throws CopyError `row_refused` if a value is not of its column's type
 */
export async function* readPages(
  queries: Queries,
  table: CopiedTable,
  after?: readonly KeyCell[],
): AsyncGenerator<ReadRow[]> {
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
      next = readPage(queries, table, last.key);
      // Without this handler, Node would report an unhandled rejection, because the caller gets the error only when it
      // asks for the next page.
      next.catch(() => {});
      yield page;
    }
  } finally {
    // A pending read must end before the caller closes the database.
    await next.catch(() => {});
  }
}

async function readPage(
  queries: Queries,
  table: CopiedTable,
  after?: readonly KeyCell[],
): Promise<ReadRow[]> {
  const engine = engineOf(queries);
  const refs = (names: readonly string[]) => names.map((name) => sql.id(table.name, name));
  const key = sql.join(refs(table.key));
  // `cells` contains the primary key in the form that Foyer copies, which may sort differently from the stored key. So
  // also reads the key in the form that the database sorts by.
  const keyCells = refs(table.key).map((ref, at) => {
    const carried = table.columns.find(({ name }) => name === table.key[at])?.carried;
    const isNumber = carried === 'integer' || carried === 'exact';
    const cell = engine === 'SQLite' && !isNumber ? ref : readingOf(engine, 'exact', ref);
    return sql`${cell} as ${sql.id(`key ${at}`)}`;
  });
  const cells = table.columns.map(
    ({ name, carried }, at) =>
      sql`${readingOf(engine, carried, sql.id(table.name, name))} as ${sql.id(`cell ${at}`)}`,
  );
  const behind = after ? sql`where (${key}) > (${sql.join([...after])})` : sql``;
  const { rows } = await sql<Record<string, unknown>>`
    select ${sql.join([...cells, ...keyCells])} from ${sql.id(table.name)} ${behind}
     order by ${key} limit ${sql.lit(pageRows)}`.execute(queries);
  return rows.map((row) => ({
    cells: table.columns.map(({ name, carried }, at) => {
      const cell = carriedCell(carried, row[`cell ${at}`]);
      if (cell !== undefined) return cell;
      const which = table.key.map((column, place) => `${column} ${String(row[`key ${place}`])}`).join(', ');
      const message = `The column ${table.name}.${name} holds a value that is not of its type (${carried}), in the row with ${which}. Correct it, and run this again.`;
      throw new CopyError('row_refused', message);
    }),
    key: table.key.map((column, at) => keyCell(row[`key ${at}`], table.name, column)),
  }));
}

/** Refuses null, which SQLite allows in a primary key: no row is greater than null, so no page could start after it. */
function keyCell(cell: unknown, table: string, column: string): KeyCell {
  if (typeof cell === 'string' || typeof cell === 'number') return cell;
  const message = `A row of ${table} has no value in its primary key ${column}. Give it one, and run this again.`;
  throw new CopyError('row_refused', message);
}
