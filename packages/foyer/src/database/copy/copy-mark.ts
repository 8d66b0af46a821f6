import type { Queries, Tx } from '../database.ts';
import { readTables } from '../read-tables.ts';

/**
 * Why a table of its own that comes and goes: while it exists, the database is half of a copy, and only the copy may use
 * it; a finished copy is like any other database. It holds one row.
 */

/** The table by whose presence a copy is known to be unfinished. */
export const copyMarkTable = 'foyer_copy';

/** A value of a primary key, as it is stored in the mark. */
export type KeyCell = string | number;

/** How far a copy is: everything up to this row, and every table before its table. */
export interface CopyPlace {
  table: string;
  key: readonly KeyCell[];
}

/** What is known of an unfinished copy, in its target. */
export interface CopyMark {
  /** The source by name, without a password. */
  source: string;
  /** copying: rows are being added; clearing: what did not fit the source has to go first. */
  state: 'copying' | 'clearing';
  /** What was copied last; null before the first row. */
  place: CopyPlace | null;
}

type MarkTables = {
  foyer_copy: {
    source: string;
    /** Whoever began last: a copy that finds another one here stops. */
    owner: string;
    state: CopyMark['state'];
    place: string | null;
  };
};

const withMark = (queries: Queries) => queries.$extendTables<MarkTables>();

/** The mark of a database that is the target of an unfinished copy; undefined in any other. */
export async function readCopyMark(queries: Queries): Promise<CopyMark | undefined> {
  const tables = await readTables(queries);
  if (!tables.some(({ name }) => name === copyMarkTable)) return undefined;
  const row = await withMark(queries).selectFrom('foyer_copy').selectAll().executeTakeFirst();
  return row && markOf(row);
}

function markOf({ source, state, place }: MarkTables['foyer_copy']): CopyMark {
  return { source, state, place: place === null ? null : (JSON.parse(place) as CopyPlace) };
}

/** Marks a database as the target of a copy that has not begun. */
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

/** Makes `owner` the one who goes on from where the mark then stands; whoever copied until now stops at its next page. */
export async function takeCopyMark(tx: Tx, owner: string): Promise<CopyMark> {
  // What it returns is read behind the lock: the page that another copy was just storing is in it.
  const row = await withMark(tx)
    .updateTable('foyer_copy')
    .set({ owner })
    .returningAll()
    .executeTakeFirst()
    .catch(takenOverWhereGone);
  if (!row) throw takenOver();
  return markOf(row);
}

/** Stores how far the copy is. @throws CopyError where another copy has taken over */
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

/** Takes the mark away: the copy is whole. @throws CopyError where another copy has taken over */
export async function dropCopyMark(tx: Tx, owner: string): Promise<void> {
  await moveCopyMark(tx, owner, { state: 'copying', place: null });
  await tx.schema.dropTable(copyMarkTable).execute();
}

/** Another copy may even have finished by now, and taken the table away. */
function takenOverWhereGone(error: unknown): never {
  const isGone = error instanceof Error && error.message.includes(copyMarkTable);
  throw isGone ? takenOver(error) : error;
}

function takenOver(cause?: unknown): CopyError {
  const message = 'Another copy into this database was started, and goes on where this one was.';
  return new CopyError('taken_over', message, { cause });
}

/**
 * Thrown when a copy cannot begin or go on.
 * - `target_not_empty`: the target holds something else
 * - `source_changed`: the source was written while it was copied, so that what was copied does not fit together
 * - `taken_over`: another copy into the same target was started, and goes on where this one was
 * - `row_refused`: the target does not take what the source holds
 * - `table_refused`: there are tables that cannot be copied as they are
 */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly code: 'target_not_empty' | 'source_changed' | 'taken_over' | 'row_refused' | 'table_refused';
  constructor(code: CopyError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
