import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { InstallationRow } from '../records.ts';

type NewState = Omit<InstallationRow, 'refresh_owner' | 'refresh_until'>;

const noRefresh = { refresh_owner: null, refresh_until: null };

const insertIfNew = prepareQuery((queries, given: Given<NewState>) =>
  queries
    .insertInto('installations')
    .values({
      id: given.id,
      client_id: given.client_id,
      tenant: given.tenant,
      team_id: given.team_id,
      team_name: given.team_name,
      enterprise_id: given.enterprise_id,
      enterprise_name: given.enterprise_name,
      is_enterprise_install: given.is_enterprise_install,
      app_id: given.app_id,
      status: given.status,
      broken_reason: given.broken_reason,
      life: given.life,
      version: given.version,
      installer_user_id: given.installer_user_id,
      installed_at: given.installed_at,
      uninstalled_at: given.uninstalled_at,
      bot_user_id: given.bot_user_id,
      bot_scopes: given.bot_scopes,
      bot_expires_at: given.bot_expires_at,
      sealed_bot: given.sealed_bot,
      ...noRefresh,
    })
    .onConflict((conflict) => conflict.columns(['client_id', 'tenant']).doNothing())
    .returning('id'),
);

/** Adds an installation. False where its tenant has one: somebody else has just installed there. */
export async function addInstallation(transaction: Queries, row: NewState): Promise<boolean> {
  const { rows } = await insertIfNew(transaction, row);
  return rows.length > 0;
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
