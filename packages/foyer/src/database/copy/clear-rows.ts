import { sql } from 'kysely';
import type { Database, Queries } from '../database.ts';
import type { CopiedTable } from './copied-tables.ts';

const batchRows = 2000;
const patienceMs = 30_000;

/** Deletes every row of every table, children first, in short transactions; `onBatch` runs within each. */
export async function clearRows(
  target: Pick<Database, 'write'>,
  tables: readonly CopiedTable[],
  onBatch: (transaction: Queries) => Promise<void>,
): Promise<void> {
  for (const table of tables.toReversed()) {
    const name = sql.table(table.name);
    const key = sql.join(table.key.map((column) => sql.ref(column)));
    const batch = sql`delete from ${name} where (${key}) in (select ${key} from ${name} limit ${sql.lit(batchRows)})`;
    for (let deleted = 1n; deleted > 0n; ) {
      deleted = await target.write(async (transaction) => {
        await onBatch(transaction);
        return (await batch.execute(transaction)).numAffectedRows ?? 0n;
      }, patienceMs);
    }
  }
}
