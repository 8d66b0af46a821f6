import type { Queries, Tx } from './database.ts';

/** The holder of tokens: an installation's bot or, with `userId`, that person. */
export interface TokenHolder {
  installationId: string;
  userId?: string;
}

/**
 * Takes the exclusive right to refresh tokens until `until`, if they still have the version `ifVersion` and no one else
 * holds it. Returns whether it was taken (invariant 8).
 */
export async function takeRefreshLease(
  tx: Tx,
  lease: { holder: TokenHolder; ifVersion: number; owner: string; until: number; now: number },
): Promise<boolean> {
  const { holder, ifVersion, now } = lease;
  const taken = { refresh_owner: lease.owner, refresh_until: lease.until };
  const row =
    holder.userId === undefined
      ? await tx
          .updateTable('installations')
          .set(taken)
          .where('id', '=', holder.installationId)
          .where('version', '=', ifVersion)
          .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', now)]))
          .returning('id')
          .executeTakeFirst()
      : await tx
          .updateTable('user_tokens')
          .set(taken)
          .where('installation_id', '=', holder.installationId)
          .where('user_id', '=', holder.userId)
          .where('version', '=', ifVersion)
          .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', now)]))
          .returning('user_id')
          .executeTakeFirst();
  return row !== undefined;
}

/** The state of tokens for a process that wants to refresh them. */
interface RefreshState {
  version: number;
  /** The process that refreshes them now; null after a failure, when no one should try before `refreshUntil`. */
  refreshOwner: string | null;
  refreshUntil: number | null;
}

/** Reads whether a process refreshes these tokens; undefined if they are gone. */
export async function findRefreshState(
  queries: Queries,
  holder: TokenHolder,
): Promise<RefreshState | undefined> {
  const columns = ['version', 'refresh_owner', 'refresh_until'] as const;
  const row =
    holder.userId === undefined
      ? await queries
          .selectFrom('installations')
          .select(columns)
          .where('id', '=', holder.installationId)
          .where('sealed_bot', 'is not', null)
          .executeTakeFirst()
      : await queries
          .selectFrom('user_tokens')
          .select(columns)
          .where('installation_id', '=', holder.installationId)
          .where('user_id', '=', holder.userId)
          .executeTakeFirst();
  return row && { version: row.version, refreshOwner: row.refresh_owner, refreshUntil: row.refresh_until };
}

/** Ends a lease after a failed refresh: no one tries again before `until`. Does nothing if the lease is gone. */
export async function postponeRefresh(
  tx: Tx,
  lease: { holder: TokenHolder; owner: string; until: number },
): Promise<void> {
  const { holder, owner } = lease;
  const postponed = { refresh_owner: null, refresh_until: lease.until };
  if (holder.userId === undefined) {
    await tx
      .updateTable('installations')
      .set(postponed)
      .where('id', '=', holder.installationId)
      .where('refresh_owner', '=', owner)
      .execute();
  } else {
    await tx
      .updateTable('user_tokens')
      .set(postponed)
      .where('installation_id', '=', holder.installationId)
      .where('user_id', '=', holder.userId)
      .where('refresh_owner', '=', owner)
      .execute();
  }
}

/**
 * Writes refreshed tokens if the stored ones still have the version `ifVersion`, and ends the lease. Returns whether it
 * did: a newer install wins (invariant 8). `expiresAt` is in milliseconds.
 */
export async function saveRefreshedToken(
  tx: Tx,
  refreshed: { holder: TokenHolder; ifVersion: number; sealed: string; expiresAt: number; now: number },
): Promise<boolean> {
  const { holder, ifVersion, sealed, expiresAt } = refreshed;
  const free = { version: ifVersion + 1, refresh_owner: null, refresh_until: null };
  const row =
    holder.userId === undefined
      ? await tx
          .updateTable('installations')
          .set({ ...free, sealed_bot: sealed, bot_expires_at: expiresAt })
          .where('id', '=', holder.installationId)
          .where('version', '=', ifVersion)
          .where('sealed_bot', 'is not', null)
          .returning('id')
          .executeTakeFirst()
      : await tx
          .updateTable('user_tokens')
          .set({ ...free, sealed_user: sealed, expires_at: expiresAt, updated_at: refreshed.now })
          .where('installation_id', '=', holder.installationId)
          .where('user_id', '=', holder.userId)
          .where('version', '=', ifVersion)
          .returning('user_id')
          .executeTakeFirst();
  return row !== undefined;
}

/**
 * Finds tokens that expire by `before`, or already have, and that no process refreshes now, soonest first: at most
 * `limit` of bots of active installations, and as many of people of installations that are not uninstalled.
 */
export async function findLapsingTokens(
  queries: Queries,
  search: { clientId: string; before: number; now: number; limit: number },
): Promise<TokenHolder[]> {
  const { clientId, before, now, limit } = search;
  const bots = await queries
    .selectFrom('installations')
    .select('id')
    .where('client_id', '=', clientId)
    .where('status', '=', 'active')
    .where('bot_expires_at', '<=', before)
    .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', now)]))
    .orderBy('bot_expires_at')
    .limit(limit)
    .execute();
  // Not a join: it would start from every installation, although few user tokens expire.
  const users = await queries
    .selectFrom('user_tokens')
    .select(['installation_id', 'user_id'])
    .where('expires_at', '<=', before)
    .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', now)]))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('installations')
          .select('installations.id')
          .whereRef('installations.id', '=', 'user_tokens.installation_id')
          .where('installations.client_id', '=', clientId)
          .where('installations.status', '!=', 'uninstalled'),
      ),
    )
    .orderBy('expires_at')
    .limit(limit)
    .execute();
  return [
    ...bots.map((row) => ({ installationId: row.id })),
    ...users.map((row) => ({ installationId: row.installation_id, userId: row.user_id })),
  ];
}
