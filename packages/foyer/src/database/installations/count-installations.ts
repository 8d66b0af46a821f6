import type { Queries } from '../database.ts';
import type { InstallationStatus } from '../records.ts';

/** Counts an app's installations by how they stand. */
export async function countInstallations(
  queries: Queries,
  clientId: string,
): Promise<Record<InstallationStatus, number>> {
  const rows = await queries
    .selectFrom('installations')
    .select(({ fn }) => ['status', fn.countAll<number | string | bigint>().as('count')])
    .where('client_id', '=', clientId)
    .groupBy('status')
    .execute();
  const counts = { active: 0, broken: 0, uninstalled: 0 };
  for (const row of rows) counts[row.status] = Number(row.count);
  return counts;
}
