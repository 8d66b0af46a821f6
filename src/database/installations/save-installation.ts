import type { Queries } from '../database.ts';
import type { InstallationRow } from '../records.ts';

/** Writes an installation's whole row, new or known. A refresh that was under way loses its lease. */
export async function saveInstallation(
  transaction: Queries,
  row: Omit<InstallationRow, 'refresh_owner' | 'refresh_until'>,
): Promise<void> {
  const { id, client_id, tenant, ...rest } = row;
  const state = { ...rest, refresh_owner: null, refresh_until: null };
  await transaction
    .insertInto('installations')
    .values({ id, client_id, tenant, ...state })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(state))
    .execute();
}
