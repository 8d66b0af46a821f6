import { readTableShapes } from '../database/copy/table-shapes.ts';
import type { Queries } from '../database/database.ts';
import { foyerTableNames } from '../database/records.ts';

/**
 * The names of the app's own tables, in two groups: their rows are erased together with an installation, or they stay.
 */
export interface OwnTableNames {
  /**
   * These tables refer to the installation with ON DELETE CASCADE, so their rows are erased together with the
   * installation.
   */
  erased: string[];
  /**
   * The rows of these tables stay: no chain of references with ON DELETE CASCADE leads from them to the installation.
   */
  left: string[];
}

/**
 * Finds the app's own tables, and which of them refer to an installation with ON DELETE CASCADE. A table may refer to
 * it through another one: an order's lines refer to the order, and the order refers to the installation.
 */
export async function readOwnTables(queries: Queries): Promise<OwnTableNames> {
  const tables = await readTableShapes(queries);
  const erased = new Set(['installations']);
  for (let before = 0; before < erased.size; ) {
    before = erased.size;
    for (const { name, references } of tables) {
      if (references.some(({ table, onDelete }) => onDelete === 'cascade' && erased.has(table)))
        erased.add(name);
    }
  }
  const own = tables.map(({ name }) => name).filter((name) => !foyerTableNames.includes(name));
  return { erased: own.filter((name) => erased.has(name)), left: own.filter((name) => !erased.has(name)) };
}
