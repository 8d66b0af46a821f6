import { sql } from 'kysely';
import type { Database, Queries, Tx } from '../database.ts';
import { type Carried, carriedBetween } from './carried-values.ts';
import { CopyError } from './copy-mark.ts';
import { type Engine, engineOf, readTableShapes, readUncopied, type TableShape } from './table-shapes.ts';

/** A table that is copied; both sides have the same columns and primary key. */
export interface CopiedTable {
  name: string;
  /** The columns of its primary key; rows are read in the order of this key. */
  key: readonly string[];
  columns: readonly { name: string; carried: Carried }[];
  /**
   * Columns whose next value comes from a Postgres sequence. The sequence must continue after the values of the copied
   * rows.
   */
  sequences: readonly string[];
}

/**
 * Matches every table of the source with the target's table of the same name. Returns each table after the tables that
 * it refers to.
 *
 * Why Foyer asks the databases and keeps no list of tables: a copy would silently skip a table that is missing from the
 * list.
 * @throws CopyError `table_refused` that names every table and column that cannot be copied, with the reason
 */
export async function matchTables(source: Queries, target: Queries): Promise<CopiedTable[]> {
  const [from, to] = [await readTableShapes(source), await readTableShapes(target)];
  const engines = { source: engineOf(source), target: engineOf(target) };
  const refusals = [...from.flatMap(refusalsOf), ...(await readUncopied(source))];
  for (const { name } of from) {
    if (to.some((table) => table.name === name)) continue;
    refusals.push(`${name}: no migration creates this table in the target`);
  }
  const copied = to.flatMap((there) => {
    const here = from.find(({ name }) => name === there.name);
    if (!here) return [];
    const match = matchTable(here, there, engines);
    refusals.push(...match.refusals);
    return [match.table];
  });
  const order = parentsFirst(to);
  refuse([...refusals, ...order.circles]);
  return copied.toSorted((one, other) => order.names.indexOf(one.name) - order.names.indexOf(other.name));
}

/** Refuses a source with tables that no target could accept. @throws CopyError `table_refused` */
export async function refuseUncopyable(source: Queries): Promise<void> {
  const shapes = await readTableShapes(source);
  const { circles } = parentsFirst(shapes);
  refuse([...shapes.flatMap(refusalsOf), ...(await readUncopied(source)), ...circles]);
}

function refuse(refusals: readonly string[]): void {
  if (refusals.length === 0) return;
  throw new CopyError(
    'table_refused',
    `Nothing was copied, since these tables cannot be copied as they are:\n${refusals.map((line) => `  ${line}`).join('\n')}\n` +
      'Change them with a migration in the definition (`migrations`), or use the tools of your database (pg_dump, sqlite3).',
  );
}

function refusalsOf({ name, kind, key }: TableShape): string[] {
  if (kind !== 'table') return [`${name}: it is a ${kind}`];
  return key.length === 0 ? [`${name}: it has no primary key`] : [];
}

function matchTable(source: TableShape, target: TableShape, engines: { source: Engine; target: Engine }) {
  const refusals: string[] = [];
  const columns: CopiedTable['columns'][number][] = [];
  for (const column of source.columns) {
    const other = target.columns.find(({ name }) => name === column.name);
    if (!other) {
      refusals.push(`${source.name}.${column.name}: no migration creates this column in the target`);
      continue;
    }
    if (other.isGenerated) continue;
    const carried = carriedBetween(
      { engine: engines.source, column },
      { engine: engines.target, column: other },
    );
    if (typeof carried === 'string') columns.push({ name: column.name, carried });
    else refusals.push(`${source.name}.${column.name}: it ${carried.refusal}`);
  }
  for (const { name } of target.columns) {
    if (source.columns.some((column) => column.name === name)) continue;
    refusals.push(`${source.name}.${name}: the source does not have this column`);
  }
  if (source.key.join() !== target.key.join()) {
    refusals.push(`${source.name}: its primary keys differ (${source.key.join()} and ${target.key.join()})`);
  }
  for (const trigger of target.triggers) {
    refusals.push(
      `${source.name}: its trigger ${trigger} could change rows of the target while they are copied`,
    );
  }
  const inBytes = columns.filter(({ name, carried }) => carried === 'bytes' && source.key.includes(name));
  refusals.push(
    ...inBytes.map(({ name }) => `${source.name}.${name}: it holds bytes and is in the primary key`),
  );
  const sequences = target.columns.filter(({ hasSequence }) => hasSequence).map(({ name }) => name);
  const sorted = columns.toSorted((one, another) => (one.name < another.name ? -1 : 1));
  return { table: { name: source.name, key: source.key, columns: sorted, sequences }, refusals };
}

/**
 * Sorts tables so that each one comes after the tables that it refers to. Some tables have no such place: those that
 * refer to themselves, are in a circle of references, or refer to a table with one of these problems. `circles` lists
 * them, each with the reason why it cannot be copied.
 */
function parentsFirst(tables: readonly Pick<TableShape, 'name' | 'references'>[]): {
  names: string[];
  circles: string[];
} {
  const names: string[] = [];
  let left = tables;
  for (;;) {
    const isFree = (table: (typeof tables)[number]) =>
      table.references.every(
        (parent) => names.includes(parent.table) || !left.some(({ name }) => name === parent.table),
      );
    const free = left.filter(isFree);
    if (free.length === 0) break;
    names.push(...free.map(({ name }) => name));
    left = left.filter((table) => !free.includes(table));
  }
  return {
    names,
    circles: left.map(
      ({ name }) =>
        `${name}: it refers to itself, is in a circle of references, or refers to a table with one of these problems`,
    ),
  };
}

/** Advances each Postgres sequence past the copied rows. */
export async function advanceSequences(tx: Tx, tables: readonly CopiedTable[]): Promise<void> {
  if (engineOf(tx) !== 'Postgres') return;
  for (const { name, sequences } of tables) {
    for (const column of sequences) {
      // Skips the column if its highest value is outside the sequence's range (0, for example), because `setval`
      // refuses such a value. The sequence never produces the value, so Foyer need not advance the sequence.
      await sql`select setval(seqrelid::regclass, highest)
        from pg_sequence, (select max(${sql.id(column)}) as highest from ${sql.id(name)}) as copied
        where seqrelid = pg_get_serial_sequence(quote_ident(${name}), ${column})::regclass
          and highest between seqmin and seqmax`.execute(tx);
    }
  }
}

/** Counts the rows of each table. Omits empty tables. */
export async function countRows(
  queries: Queries,
  tables: readonly CopiedTable[],
): Promise<{ table: string; rows: number }[]> {
  const counts: { table: string; rows: number }[] = [];
  for (const { name } of tables) {
    const { rows } = await sql<{
      rows: number;
    }>`select count(*) as rows from ${sql.id(name)}`.execute(queries);
    counts.push({ table: name, rows: rows[0]?.rows ?? 0 });
  }
  return counts.filter((count) => count.rows > 0);
}

/** Whether any table contains a row. Reads at most one row of each table, so that it is quick within a transaction. */
export async function holdsRows(queries: Queries, tables: readonly CopiedTable[]): Promise<boolean> {
  for (const { name } of tables) {
    const { rows } = await sql`select 1 as one from ${sql.id(name)} limit 1`.execute(queries);
    if (rows.length > 0) return true;
  }
  return false;
}

const batchRows = 2000;
/** How long to wait for a target that restarts. */
export const patienceMs = 30_000;

/** Deletes every row of every table, children first, in short transactions. Each transaction first runs `onBatch`. */
export async function clearRows(
  target: Pick<Database, 'write'>,
  tables: readonly CopiedTable[],
  onBatch?: (tx: Tx) => Promise<void>,
): Promise<void> {
  for (const table of tables.toReversed()) {
    const name = sql.id(table.name);
    const key = sql.join(table.key.map((column) => sql.id(column)));
    const batch = sql`delete from ${name} where (${key}) in (select ${key} from ${name} limit ${sql.lit(batchRows)})`;
    for (let deleted = 1n; deleted > 0n; ) {
      deleted = await target.write(async (tx) => {
        await onBatch?.(tx);
        return (await batch.execute(tx)).numAffectedRows ?? 0n;
      }, patienceMs);
    }
  }
}
