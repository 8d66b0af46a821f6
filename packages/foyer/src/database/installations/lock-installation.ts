import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { InstallationRow } from '../records.ts';

/** Names an installation: by its id, or by whose it is. */
export type InstallationKey = { id: string } | { clientId: string; tenant: string };

const lockById = prepareQuery((queries, given: Given<{ id: string }>) =>
  queries.selectFrom('installations').selectAll().where('id', '=', given.id).forNoKeyUpdate(),
);

const lockByTenant = prepareQuery((queries, given: Given<{ clientId: string; tenant: string }>) =>
  queries
    .selectFrom('installations')
    .selectAll()
    .where('client_id', '=', given.clientId)
    .where('tenant', '=', given.tenant)
    .forNoKeyUpdate(),
);

/**
 * Reads one installation's row, whatever its status, and locks it until the transaction ends: who installs, uninstalls
 * or starts anew does so one after another. What only refers to it, such as a run that goes on, is not held up.
 */
export async function lockInstallation(
  transaction: Queries,
  key: InstallationKey,
): Promise<InstallationRow | undefined> {
  const { rows } = await ('id' in key ? lockById(transaction, key) : lockByTenant(transaction, key));
  return rows[0];
}
