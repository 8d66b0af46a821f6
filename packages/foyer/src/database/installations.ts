import { sql } from 'kysely';
import type { Queries, Tx } from './database.ts';
import type { HistoryRow, InstallationRow, InstallationStatus } from './records.ts';

/** What an install writes to an installation's row: all columns except those of the lease for a token refresh. */
export type NewState = Omit<InstallationRow, 'refresh_owner' | 'refresh_until'>;

/** Adds an installation. Returns false if its tenant already has one, because another process has just stored it. */
export async function addInstallation(tx: Tx, row: NewState): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('installations')
    .values(row)
    .onConflict((conflict) => conflict.columns(['client_id', 'tenant']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Writes the whole row of a known installation. A refresh in progress loses its lease. */
export async function saveInstallation(tx: Tx, row: NewState): Promise<void> {
  const { id, client_id: _, tenant: __, ...state } = row;
  await tx
    .updateTable('installations')
    .set({ ...state, refresh_owner: null, refresh_until: null })
    .where('id', '=', id)
    .execute();
}

/** Names an installation by its id or by its tenant. */
export type InstallationKey = { id: string } | { clientId: string; tenant: string };

/**
 * Reads an installation's row, in any status, and locks it until the transaction ends. So installs, uninstalls and
 * retries of one installation run one after another. The lock does not block writes that only refer to the
 * installation, such as a run's progress.
 */
export async function lockInstallation(tx: Tx, key: InstallationKey): Promise<InstallationRow | undefined> {
  const row = tx.selectFrom('installations').selectAll().forNoKeyUpdate();
  const found =
    'id' in key
      ? row.where('id', '=', key.id)
      : row.where('client_id', '=', key.clientId).where('tenant', '=', key.tenant);
  return found.executeTakeFirst();
}

/**
 * Slack's error for a bot whose app is gone: removed from this team, or suspended everywhere. An installation that is
 * broken for this reason is **held**: Foyer keeps its tokens until it knows which of the two happened
 * (`inactive-installations.ts`).
 */
export const inactiveCode = 'account_inactive';

/**
 * Marks an active installation as broken, or changes the reason of a held installation. With `ifVersion`, does so only
 * if the installation's tokens have that version. Returns whether the row changed.
 */
export async function markInstallationBroken(
  tx: Tx,
  mark: { installationId: string; reason: string; ifVersion?: number },
): Promise<boolean> {
  const { installationId, reason, ifVersion } = mark;
  const row = await tx
    .updateTable('installations')
    .set({ status: 'broken', broken_reason: reason })
    .where((eb) => eb.and({ id: installationId, version: ifVersion }))
    .where((eb) => {
      const isActive = eb('status', '=', 'active');
      return reason === inactiveCode ? isActive : eb.or([isActive, eb('broken_reason', '=', inactiveCode)]);
    })
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Marks a held installation as active, if its tokens have the version `ifVersion`. Returns whether it changed. */
export async function markInstallationWorking(
  tx: Tx,
  { installationId, ifVersion }: { installationId: string; ifVersion: number },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('installations')
    .set({ status: 'active', broken_reason: null })
    .where('id', '=', installationId)
    .where('broken_reason', '=', inactiveCode)
    .where('version', '=', ifVersion)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Selects the ids of an app's held installations. */
export function heldInstallations(queries: Queries, clientId: string) {
  return (
    queries
      .selectFrom('installations')
      .select('id')
      .where('client_id', '=', clientId)
      .where('status', '=', 'broken')
      // The value is a literal, because the condition of the index contains the same literal. With a bound value,
      // SQLite would not use the index.
      .where('broken_reason', '=', sql.lit(inactiveCode))
  );
}

/**
 * Lists up to `limit` held installations. The order is random, so that those that stay held do not block the others.
 */
export async function listHeldInstallations(
  queries: Queries,
  { clientId, limit }: { clientId: string; limit: number },
): Promise<string[]> {
  const rows = await heldInstallations(queries, clientId).orderBy(sql`random()`).limit(limit).execute();
  return rows.map(({ id }) => id);
}

/**
 * Finds witnesses (`inactive-installations.ts`): active installations with a bot's token that has not expired. The
 * newest come first, since their tokens most likely work.
 */
export async function findWitnesses(
  queries: Queries,
  search: { clientId: string; except?: string; now: number; limit: number },
): Promise<string[]> {
  const { clientId, except, now, limit } = search;
  const rows = await queries
    .selectFrom('installations')
    .select('id')
    .where('client_id', '=', clientId)
    .where('status', '=', 'active')
    .where('bot_user_id', 'is not', null)
    .where((eb) => eb.or([eb('bot_expires_at', 'is', null), eb('bot_expires_at', '>', now)]))
    .$if(except !== undefined, (query) => query.where('id', '!=', except ?? ''))
    .orderBy('installed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Reads the newest 50 installs and removals in an installation's history, newest first. Foyer compares the time of an
 * event with the times of these lines.
 */
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

/** A change that an event reported: at `changedAt`, an org-wide install gained or lost access to a workspace. */
interface TeamAccessChange {
  clientId: string;
  enterpriseId: string;
  teamId: string;
  granted: boolean;
  changedAt: number;
  /** When the current life of the installation began. Foyer ignores a grant from before this time. */
  since?: number;
}

/**
 * Records the change unless a newer one is recorded. Returns whether the workspace's access changed, or was granted for
 * the first time since the latest install. If two changes are from the same second (Slack's events have no finer time), the one
 * that Slack delivers later wins.
 */
export async function recordTeamAccess(tx: Tx, change: TeamAccessChange): Promise<boolean> {
  const { clientId: client_id, enterpriseId: enterprise_id, teamId: team_id } = change;
  const key = { client_id, enterprise_id, team_id };
  const known = await tx
    .selectFrom('team_access')
    .select(['granted', 'changed_at'])
    .where((eb) => eb.and(key))
    .forUpdate()
    .executeTakeFirst();
  if (known && known.changed_at > change.changedAt) return false;
  const granted = change.granted ? 1 : 0;
  const state = { granted, changed_at: change.changedAt };
  await tx
    .insertInto('team_access')
    .values({ ...key, ...state })
    .onConflict((conflict) =>
      conflict
        .columns(['client_id', 'enterprise_id', 'team_id'])
        .doUpdateSet(state)
        .where('team_access.changed_at', '<=', change.changedAt),
    )
    .execute();
  const isOfThisLife = known !== undefined && known.changed_at >= (change.since ?? 0);
  return known?.granted !== granted || (change.granted && !isOfThisLife);
}

/**
 * Lists the workspaces in which an org-wide install has access, earliest grant first. With `since`, lists only those in
 * which access was granted then or later.
 */
export async function findGrantedTeams(
  queries: Queries,
  search: { clientId: string; enterpriseId: string; since?: number },
): Promise<string[]> {
  const teams = await queries
    .selectFrom('team_access')
    .select('team_id')
    .where('client_id', '=', search.clientId)
    .where('enterprise_id', '=', search.enterpriseId)
    .where('granted', '=', 1)
    .where('changed_at', '>=', search.since ?? 0)
    .orderBy('changed_at')
    .orderBy('team_id')
    .execute();
  return teams.map((team) => team.team_id);
}

/** Reads the status of each of these tenants' installations, by tenant. Omits tenants without an installation. */
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

/**
 * Whether an installation has a row, and when it was uninstalled or purged (`endedAt`, by our clock; null if neither).
 */
export interface InstallationStanding {
  isKnown: boolean;
  endedAt: number | null;
}

/**
 * Returns the key of a row in `seen_deliveries`. Foyer stores this row when it purges the install of a single Grid
 * workspace, because the last events about that workspace may arrive later.
 */
export const purgeKey = (tenant: string): string => `purged ${tenant}`;

/** Reads the standing of installations, by tenant. Omits tenants that have neither a row nor a record of a purge. */
export async function readStandings(
  queries: Queries,
  { clientId, tenants }: { clientId: string; tenants: readonly string[] },
): Promise<Map<string, InstallationStanding>> {
  const purged = await queries
    .selectFrom('seen_deliveries')
    .select(['key', 'seen_at'])
    .where('client_id', '=', clientId)
    .where('key', 'in', tenants.map(purgeKey))
    .execute();
  const rows = await queries
    .selectFrom('installations')
    .select(['tenant', 'uninstalled_at'])
    .where('client_id', '=', clientId)
    .where('tenant', 'in', tenants)
    .execute();
  const standings = new Map<string, InstallationStanding>();
  for (const { key, seen_at: endedAt } of purged)
    standings.set(key.slice(purgeKey('').length), { isKnown: false, endedAt });
  for (const { tenant, uninstalled_at: endedAt } of rows) standings.set(tenant, { isKnown: true, endedAt });
  return standings;
}

/** The id of the Slack app, from the newest install that reported it; undefined if none did. */
export async function findAppId(queries: Queries, clientId: string): Promise<string | undefined> {
  const row = await queries
    .selectFrom('installations')
    .select('app_id')
    .where('client_id', '=', clientId)
    .where('app_id', 'is not', null)
    .orderBy('installed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.app_id ?? undefined;
}
