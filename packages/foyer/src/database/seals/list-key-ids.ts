import type { Queries } from '../database.ts';

/** Lists the ids of every key that the database was ever used with, the first first. */
export async function listKeyIds(queries: Queries): Promise<string[]> {
  const rows = await queries
    .selectFrom('encryption_keys')
    .select('id')
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => row.id);
}
