import type { Queries, Tx } from './database.ts';
import { lockInstallation, purgeKey } from './installations.ts';

/**
 * Erases an installation with all its rows (tokens, runs, welcomes, history, Home views), its team with the team's
 * people, and its finished install requests whose tokens need not be revoked. A person's rows in other teams stay.
 * Returns false if there is no such installation.
 */
export async function eraseInstallation(tx: Tx, installationId: string, now: number): Promise<boolean> {
  const row = await lockInstallation(tx, { id: installationId });
  if (!row) return false;
  const { client_id: clientId, enterprise_id: enterpriseId } = row;
  await eraseInstallRequests(tx, row);
  await tx.deleteFrom('installations').where('id', '=', installationId).execute();
  // For an org-wide install, the enterprise is registered as the team.
  const teamId = row.team_id ?? enterpriseId;
  for (const table of ['memberships', 'external_members', 'users', 'teams'] as const) {
    if (teamId === null) break;
    await tx.deleteFrom(table).where('client_id', '=', clientId).where('team_id', '=', teamId).execute();
  }
  if (row.is_enterprise_install === 1 && enterpriseId !== null) {
    await tx
      .deleteFrom('team_access')
      .where('client_id', '=', clientId)
      .where('enterprise_id', '=', enterpriseId)
      .execute();
  }
  if (row.is_enterprise_install === 0 && enterpriseId !== null) await markPurged(tx, row, now);
  return true;
}

/**
 * Stores a workspace's id for an hour. Why: Slack's last events about the workspace may contain only the ids of the
 * workspace and its Grid organization. Without this row, Foyer would treat them as events about an org-wide install
 * (invariant 9: tenants never mix).
 */
async function markPurged(tx: Tx, row: { client_id: string; tenant: string }, now: number): Promise<void> {
  await tx
    .insertInto('seen_deliveries')
    .values({ client_id: row.client_id, key: purgeKey(row.tenant), seen_at: now })
    .onConflict((conflict) => conflict.columns(['client_id', 'key']).doUpdateSet({ seen_at: now }))
    .execute();
}

/** Erases install requests, except those in progress and those whose tokens Foyer must still revoke (invariant 1). */
async function eraseInstallRequests(
  tx: Tx,
  row: { id: string; client_id: string; team_id: string | null; enterprise_id: string | null },
): Promise<void> {
  await tx
    .deleteFrom('install_requests')
    .where('client_id', '=', row.client_id)
    .where('sealed_tokens', 'is', null)
    .where('outcome', '!=', 'started')
    .where((eb) =>
      eb.or([
        eb('installation_id', '=', row.id),
        row.team_id === null
          ? eb.and([eb('team_id', 'is', null), eb('enterprise_id', '=', row.enterprise_id)])
          : eb('team_id', '=', row.team_id),
      ]),
    )
    .execute();
}

/**
 * Erases the sealed tokens of an installation's bot and sets the installation's status. The bot's id and scopes stay in
 * the row. Does nothing if the app is already uninstalled.
 */
export async function eraseBotToken(
  tx: Tx,
  erasure: { installationId: string } & (
    | { status: 'uninstalled'; now: number }
    | { status: 'broken'; reason: string }
  ),
): Promise<void> {
  await tx
    .updateTable('installations')
    .set((eb) => ({
      status: erasure.status,
      broken_reason: erasure.status === 'broken' ? erasure.reason : null,
      ...(erasure.status === 'uninstalled' ? { uninstalled_at: erasure.now } : {}),
      version: eb('version', '+', 1),
      sealed_bot: null,
      bot_expires_at: null,
      refresh_owner: null,
      refresh_until: null,
    }))
    .where('id', '=', erasure.installationId)
    .where('status', '!=', 'uninstalled')
    .execute();
}

/** Which user tokens to erase. */
interface UserTokenErasure {
  installationId: string;
  /** The people whose tokens are erased. If omitted, the tokens of all people are erased. */
  userIds?: readonly string[];
  /** If set, erases only tokens that were last granted or refreshed before this time. */
  updatedBefore?: number;
  /** If set, erases only tokens of this version. */
  ifVersion?: number;
}

/** Erases people's own tokens for an installation, and returns the ids of the people whose tokens it erased. */
export async function eraseUserTokens(tx: Tx, erasure: UserTokenErasure): Promise<string[]> {
  const { installationId, userIds, updatedBefore, ifVersion } = erasure;
  if (userIds?.length === 0) return [];
  const erased = await tx
    .deleteFrom('user_tokens')
    .where((eb) => eb.and({ installation_id: installationId, version: ifVersion }))
    .$if(userIds !== undefined, (query) => query.where('user_id', 'in', userIds ?? []))
    .$if(updatedBefore !== undefined, (query) => query.where('updated_at', '<', updatedBefore ?? 0))
    .returning('user_id')
    .execute();
  return erased.map((row) => row.user_id);
}

/**
 * Deletes the records of the App Home views that an installation's people saw: without a token, Foyer cannot publish
 * new views.
 */
export async function eraseHomeViews(tx: Tx, installationId: string): Promise<void> {
  await tx.deleteFrom('home_views').where('installation_id', '=', installationId).execute();
}

/** How many user tokens, runs and lines of history are stored for one installation. */
export interface InstallationRowCounts {
  userTokens: number;
  runs: number;
  history: number;
}

export async function countInstallationRows(
  queries: Queries,
  installationId: string,
): Promise<InstallationRowCounts> {
  const count = async (table: 'user_tokens' | 'runs' | 'history'): Promise<number> => {
    const { rows } = await queries
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .where('installation_id', '=', installationId)
      .executeTakeFirstOrThrow();
    return rows;
  };
  return {
    userTokens: await count('user_tokens'),
    runs: await count('runs'),
    history: await count('history'),
  };
}
