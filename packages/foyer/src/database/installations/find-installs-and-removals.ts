import type { Queries } from '../database.ts';
import type { HistoryRow } from '../records.ts';

/** Reads when an installation was installed and removed, newest first: what tells the order of events. */
export async function findInstallsAndRemovals(
  queries: Queries,
  installationId: string,
): Promise<Pick<HistoryRow, 'at' | 'kind' | 'detail'>[]> {
  return queries
    .selectFrom('history')
    .select(['at', 'kind', 'detail'])
    .where('installation_id', '=', installationId)
    .where('kind', 'in', ['installed', 'reinstalled', 'uninstalled'])
    .orderBy('id', 'desc')
    .limit(50)
    .execute();
}
