import type { Queries, Tx } from '../database.ts';
import { readTables } from '../read-tables.ts';

/**
 * The mark of an unfinished copy is a table with one row. Only `copy` may use a database that has this table. When the
 * copy is complete, Foyer drops the table, and the database is like any other.
 */

/** The table whose existence marks an unfinished copy. */
export const copyMarkTable = 'foyer_copy';

/** A value of a primary key, as it is stored in the mark. */
export type KeyCell = string | number;

/**
 * How far a copy has come: it contains every table before `table`, and the rows of `table` up to and including `key`.
 */
export interface CopyPlace {
  table: string;
  key: readonly KeyCell[];
}

/** The state of an unfinished copy, stored in its target. */
export interface CopyMark {
  /** The source's name, without a password. */
  source: string;
  /** copying: rows are being added; clearing: the target's rows must be deleted before rows are added. */
  state: 'copying' | 'clearing';
  /** The last row that was copied; null before the first one. */
  place: CopyPlace | null;
}

type MarkTables = {
  foyer_copy: {
    source: string;
    /**
     * The id of the copy process that started last. Each copy process compares this column with its own id, and stops
     * if the ids differ.
     */
    owner: string;
    state: CopyMark['state'];
    place: string | null;
  };
};

const withMark = (queries: Queries) => queries.$extendTables<MarkTables>();

/** The mark of a database that is the target of an unfinished copy; undefined for any other database. */
export async function readCopyMark(queries: Queries): Promise<CopyMark | undefined> {
  const tables = await readTables(queries);
  if (!tables.some(({ name }) => name === copyMarkTable)) return undefined;
  const row = await withMark(queries).selectFrom('foyer_copy').selectAll().executeTakeFirst();
  return row && markOf(row);
}

function markOf({ source, state, place }: MarkTables['foyer_copy']): CopyMark {
  return { source, state, place: place === null ? null : (JSON.parse(place) as CopyPlace) };
}

/** Marks a database as the target of a copy that has not copied anything yet. */
export async function createCopyMark(
  tx: Tx,
  mark: { source: string; owner: string; state?: CopyMark['state'] },
): Promise<void> {
  await tx.schema
    .createTable(copyMarkTable)
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('place', 'text')
    .execute();
  await withMark(tx)
    .insertInto('foyer_copy')
    .values({ state: 'copying', ...mark, place: null })
    .execute();
}

/**
 * Takes over an unfinished copy from the process that began it: stores `owner`, the id of the new process, and returns
 * the mark. If the previous process is still running, it stops before it stores its next rows.
 */
export async function takeCopyMark(tx: Tx, owner: string): Promise<CopyMark> {
  // The update waits for the row's lock. So if another copy is just storing a page, the returned mark includes that
  // page.
  const row = await withMark(tx)
    .updateTable('foyer_copy')
    .set({ owner })
    .returningAll()
    .executeTakeFirst()
    .catch(takenOverWhereGone);
  if (!row) throw takenOver();
  return markOf(row);
}

/** Stores how far the copy has come. @throws CopyError if another copy has taken over */
export async function moveCopyMark(
  tx: Tx,
  owner: string,
  { state, place }: Pick<CopyMark, 'state' | 'place'>,
): Promise<void> {
  const { numUpdatedRows } = await withMark(tx)
    .updateTable('foyer_copy')
    .set({ state, place: place === null ? null : JSON.stringify(place) })
    .where('owner', '=', owner)
    .executeTakeFirst()
    .catch(takenOverWhereGone);
  if (numUpdatedRows !== 1n) throw takenOver();
}

/** Removes the mark: the copy is complete. @throws CopyError if another copy has taken over */
export async function dropCopyMark(tx: Tx, owner: string): Promise<void> {
  await moveCopyMark(tx, owner, { state: 'copying', place: null });
  await tx.schema.dropTable(copyMarkTable).execute();
}

/** If the table is missing, another copy took over, finished and dropped it. */
function takenOverWhereGone(error: unknown): never {
  const isGone = error instanceof Error && error.message.includes(copyMarkTable);
  throw isGone ? takenOver(error) : error;
}

function takenOver(cause?: unknown): CopyError {
  const message =
    'This copy stopped, because another process started a copy into the same database and took over.';
  return new CopyError('taken_over', message, { cause });
}

/**
 * Thrown when a copy cannot start or continue.
 * - `target_not_empty`: the target holds other rows, or an unfinished copy of another source
 * - `source_changed`: the source was written during the copy, and the copied rows are inconsistent
 * - `taken_over`: another process started a copy into the same target, and took over
 * - `row_refused`: a row cannot be copied: the target rejects it, or a value is not of its column's type
 * - `table_refused`: some tables cannot be copied
 */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly code: 'target_not_empty' | 'source_changed' | 'taken_over' | 'row_refused' | 'table_refused';
  constructor(code: CopyError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
