import { hash } from 'node:crypto';
import type { Queries } from '../database.ts';
import { comparableCell } from './carried-values.ts';
import type { CopiedTable } from './copied-tables.ts';
import { type ReadRow, readPages } from './copy-rows.ts';

/** One table as it is on both sides. */
export interface ComparedTable {
  table: string;
  source: TableDigest;
  target: TableDigest;
}

/** Reads every table on both sides, whole. `onRows` is told how many rows of the source were read. */
export async function compareTables(
  source: Queries,
  target: Queries,
  tables: readonly CopiedTable[],
  onRows?: (rows: number, table: string) => void,
): Promise<ComparedTable[]> {
  const compared: ComparedTable[] = [];
  for (const table of tables) {
    const { name } = table;
    const both = await Promise.allSettled([
      digestTable(source, table, (rows) => onRows?.(rows, name)),
      digestTable(target, table),
    ]);
    // Neither may still be reading when the failure of the other is told.
    const [ofSource, ofTarget] = both.map((side) => {
      if (side.status === 'rejected') throw side.reason;
      return side.value;
    });
    if (ofSource && ofTarget) compared.push({ table: name, source: ofSource, target: ofTarget });
  }
  return compared;
}

/** The tables that do not hold the same rows. */
export function differingTables(compared: readonly ComparedTable[]): ComparedTable[] {
  return compared.filter(
    ({ source, target }) => source.rows !== target.rows || source.checksum !== target.checksum,
  );
}

/** What a table holds, in short: two tables with the same digest hold the same rows. */
export interface TableDigest {
  rows: number;
  /** The sum of the rows' hashes, over every column, as 32 hexadecimal digits: the order of the rows changes nothing. */
  checksum: string;
}

/** Reads the whole table, and sums it up. */
export async function digestTable(
  queries: Queries,
  table: CopiedTable,
  onRows: (rows: number) => void = () => {},
): Promise<TableDigest> {
  let rows = 0;
  let high = 0n;
  let low = 0n;
  for await (const page of readPages(queries, table)) {
    for (const row of page) {
      const hashed = hashOf(table, row);
      high += hashed.readBigUInt64BE(0);
      low += hashed.readBigUInt64BE(8);
    }
    rows += page.length;
    onRows(page.length);
  }
  return { rows, checksum: hex(high) + hex(low) };
}

/** JSON tells a number from a text, and nothing from an empty text. */
function hashOf(table: CopiedTable, { cells }: ReadRow): Buffer {
  const compared = cells.map((cell, at) => comparableCell(table.columns[at]?.carried ?? 'exact', cell));
  return hash('sha256', JSON.stringify(compared), 'buffer');
}

function hex(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
}
