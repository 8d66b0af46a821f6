import { hash } from 'node:crypto';
import type { Queries } from '../database.ts';
import type { Row } from './cell.ts';
import type { CopiedTable } from './copied-tables.ts';
import { readPages } from './read-pages.ts';

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
function hashOf(table: CopiedTable, row: Row): Buffer {
  return hash('sha256', JSON.stringify(table.columns.map((column) => row[column])), 'buffer');
}

function hex(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
}
