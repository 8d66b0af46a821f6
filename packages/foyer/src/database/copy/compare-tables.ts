import type { Queries } from '../database.ts';
import type { CopiedTable } from './copied-tables.ts';
import { digestTable, type TableDigest } from './digest-table.ts';

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
