import { CompiledQuery, sql } from 'kysely';
import { type Database, DatabaseUnavailableError, type Queries } from '../database.ts';
import type { Row } from './cell.ts';
import type { CopiedTable } from './copied-tables.ts';
import { CopyError } from './copy-error.ts';
import type { CopyPlace } from './copy-mark.ts';
import { keyOf, readPages } from './read-pages.ts';

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
