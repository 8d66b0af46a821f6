import type { Queries } from '../database.ts';
import type { InstallationRow } from '../records.ts';

/** Names an installation: by its id, or by whose it is. */
export type InstallationKey = { id: string } | { clientId: string; tenant: string };

/**
 * Reads one installation's row, whatever its status, and locks it until the transaction ends: who installs, uninstalls
 * or starts anew does so one after another. What only refers to it, such as a run that goes on, is not held up.
 */
export async function lockInstallation(
  transaction: Queries,
  key: InstallationKey,
): Promise<InstallationRow | undefined> {
  const row = transaction.selectFrom('installations').selectAll().forNoKeyUpdate();
  return 'id' in key
    ? row.where('id', '=', key.id).executeTakeFirst()
    : row.where('client_id', '=', key.clientId).where('tenant', '=', key.tenant).executeTakeFirst();
}
