import type { Queries, Tx } from './database.ts';
import { type Given, prepareQuery } from './prepared-query.ts';
import type { HistoryRow, InstallationRow, InstallationStatus } from './records.ts';

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
export async function addInstallation(tx: Tx, row: NewState): Promise<boolean> {
  const { rows } = await insertIfNew(tx, row);
  return rows.length > 0;
}

/** Writes the whole row of a known installation. A refresh that was under way loses its lease. */
export async function saveInstallation(tx: Tx, row: NewState): Promise<void> {
  const { id, client_id: _, tenant: __, ...state } = row;
  await tx
    .updateTable('installations')
    .set({ ...state, ...noRefresh })
    .where('id', '=', id)
    .execute();
}

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
export async function lockInstallation(tx: Tx, key: InstallationKey): Promise<InstallationRow | undefined> {
  const { rows } = await ('id' in key ? lockById(tx, key) : lockByTenant(tx, key));
  return rows[0];
}

/** Marks an active installation broken, with `ifVersion` only at that version. Returns whether it changed. */
export async function markInstallationBroken(
  tx: Tx,
  mark: { installationId: string; reason: string; ifVersion?: number },
): Promise<boolean> {
  const { installationId, reason, ifVersion } = mark;
  const row = await tx
    .updateTable('installations')
    .set({ status: 'broken', broken_reason: reason })
    .where('id', '=', installationId)
    .where('status', '=', 'active')
    .$if(ifVersion !== undefined, (query) => query.where('version', '=', ifVersion ?? 0))
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

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

/** Whether an org-wide install may act in a workspace, as an event of `changedAt` told. */
export interface TeamAccessChange {
  clientId: string;
  enterpriseId: string;
  teamId: string;
  granted: boolean;
  changedAt: number;
}

/**
 * Records it unless something newer is known; returns whether the workspace's access is another one now. Within one
 * second (Slack's events have no finer time) the later delivery wins.
 */
export async function recordTeamAccess(tx: Tx, change: TeamAccessChange): Promise<boolean> {
  const known = await tx
    .selectFrom('team_access')
    .select(['granted', 'changed_at'])
    .where('client_id', '=', change.clientId)
    .where('enterprise_id', '=', change.enterpriseId)
    .where('team_id', '=', change.teamId)
    .forUpdate()
    .executeTakeFirst();
  if (known && known.changed_at > change.changedAt) return false;
  const granted = change.granted ? 1 : 0;
  const state = { granted, changed_at: change.changedAt };
  await tx
    .insertInto('team_access')
    .values({
      client_id: change.clientId,
      enterprise_id: change.enterpriseId,
      team_id: change.teamId,
      ...state,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['client_id', 'enterprise_id', 'team_id'])
        .doUpdateSet(state)
        .where('team_access.changed_at', '<=', change.changedAt),
    )
    .execute();
  return known?.granted !== granted;
}

/** The workspaces that let an org-wide install in, the one that did it first at the front. */
export async function findGrantedTeams(
  queries: Queries,
  search: { clientId: string; enterpriseId: string },
): Promise<string[]> {
  const teams = await queries
    .selectFrom('team_access')
    .select('team_id')
    .where('client_id', '=', search.clientId)
    .where('enterprise_id', '=', search.enterpriseId)
    .where('granted', '=', 1)
    .orderBy('changed_at')
    .orderBy('team_id')
    .execute();
  return teams.map((team) => team.team_id);
}

/** The status of each of these tenants' installations, by tenant; those that are not known are absent. */
export async function readStatuses(
  queries: Queries,
  { clientId, tenants }: { clientId: string; tenants: readonly string[] },
): Promise<Map<string, InstallationStatus>> {
  const rows = await queries
    .selectFrom('installations')
    .select(['tenant', 'status'])
    .where('client_id', '=', clientId)
    .where('tenant', 'in', tenants)
    .execute();
  return new Map(rows.map(({ tenant, status }) => [tenant, status]));
}
