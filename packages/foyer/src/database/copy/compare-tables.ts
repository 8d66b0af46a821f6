import { hash } from 'node:crypto';
import type { Queries } from '../database.ts';
import { comparableCell } from './carried-values.ts';
import type { CopiedTable } from './copied-tables.ts';
import { type ReadRow, readPages } from './copy-rows.ts';

/** The digests of one table in the source and in the target. */
export interface ComparedTable {
  table: string;
  source: TableDigest;
  target: TableDigest;
}

/**
 * Reads every row on both sides, and returns both digests of each table. `onRows` gets the number of source rows read
 * since its last call.
 */
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
    // Waits for both reads: if one read fails, the other must have ended before this throws the error.
    const [ofSource, ofTarget] = both.map((side) => {
      if (side.status === 'rejected') throw side.reason;
      return side.value;
    });
    if (ofSource && ofTarget) compared.push({ table: name, source: ofSource, target: ofTarget });
  }
  return compared;
}

/** Returns the tables whose rows differ between the source and the target. */
export function differingTables(compared: readonly ComparedTable[]): ComparedTable[] {
  return compared.filter(
    ({ source, target }) => source.rows !== target.rows || source.checksum !== target.checksum,
  );
}

/** The digest of a table: two tables with the same digest hold the same rows. */
interface TableDigest {
  rows: number;
  /**
   * The sum of the rows' hashes, as 32 hexadecimal digits. A hash covers every column, and a sum ignores the rows'
   * order.
   */
  checksum: string;
}

/** Reads the whole table and computes its digest. */
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

/** Why JSON: it distinguishes a number from a text, and null from an empty text. */
function hashOf(table: CopiedTable, { cells }: ReadRow): Buffer {
  const compared = cells.map((cell, at) => comparableCell(table.columns[at]?.carried ?? 'exact', cell));
  return hash('sha256', JSON.stringify(compared), 'buffer');
}

function hex(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
}
