import type { Queries } from '../database.ts';
import type { InstallationRow } from '../records.ts';

/** Names an installation: by its id, or by whose it is. */
export type InstallationKey = { id: string } | { clientId: string; tenant: string };

/** Finds one installation's row, whatever its status. */
export async function findInstallation(
  queries: Queries,
  key: InstallationKey,
): Promise<InstallationRow | undefined> {
  const row = queries.selectFrom('installations').selectAll();
  return 'id' in key
    ? row.where('id', '=', key.id).executeTakeFirst()
    : row.where('client_id', '=', key.clientId).where('tenant', '=', key.tenant).executeTakeFirst();
}
