import type { Queries } from '../database.ts';
import type { InstallationRow } from '../records.ts';

type NewState = Omit<InstallationRow, 'refresh_owner' | 'refresh_until'>;

const noRefresh = { refresh_owner: null, refresh_until: null };

/** Adds an installation. False where its tenant has one: somebody else has just installed there. */
export async function addInstallation(transaction: Queries, row: NewState): Promise<boolean> {
  const added = await transaction
    .insertInto('installations')
    .values({ ...row, ...noRefresh })
    .onConflict((conflict) => conflict.columns(['client_id', 'tenant']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return added !== undefined;
}

/** Writes the whole row of a known installation. A refresh that was under way loses its lease. */
export async function saveInstallation(transaction: Queries, row: NewState): Promise<void> {
  const { id, client_id: _, tenant: __, ...state } = row;
  await transaction
    .updateTable('installations')
    .set({ ...state, ...noRefresh })
    .where('id', '=', id)
    .execute();
}
