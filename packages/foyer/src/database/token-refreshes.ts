import type { Queries, Tx } from './database.ts';

/** The holder of tokens: an installation's bot or, if `userId` is set, that person. */
export interface TokenHolder {
  installationId: string;
  userId?: string;
}

/**
 * Where the tokens of a bot or a person are stored: the table, the key of the row, and the names of two columns. The
 * casts always name the columns of `user_tokens`: the columns of a bot's tokens in `installations` have the same types.
 */
export function tokensOf({ installationId, userId }: TokenHolder) {
  const isBot = userId === undefined;
  return {
    table: (isBot ? 'installations' : 'user_tokens') as 'user_tokens',
    key: (isBot ? { id: installationId } : { installation_id: installationId, user_id: userId }) as {
      installation_id: string;
      user_id: string;
    },
    sealed: (isBot ? 'sealed_bot' : 'sealed_user') as 'sealed_user',
    expiresAt: (isBot ? 'bot_expires_at' : 'expires_at') as 'expires_at',
  };
}

/**
 * Takes a lease: the exclusive right to refresh tokens until `until` (invariant 8: one refresh for each expiring
 * token). Returns false if the tokens no longer have the version `ifVersion`, or if their refresh is in progress or
 * postponed.
 */
export async function takeRefreshLease(
  tx: Tx,
  lease: { holder: TokenHolder; ifVersion: number; owner: string; until: number; now: number },
): Promise<boolean> {
  const { table, key } = tokensOf(lease.holder);
  const { numUpdatedRows } = await tx
    .updateTable(table)
    .set({ refresh_owner: lease.owner, refresh_until: lease.until })
    .where((eb) => eb.and({ ...key, version: lease.ifVersion }))
    .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', lease.now)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Whether tokens are being refreshed, and by which process. */
interface RefreshState {
  version: number;
  /**
   * The process that holds the lease to refresh the tokens; null if no process does. The lease ends at `refreshUntil`.
   * If `refreshUntil` is set without an owner, a refresh has failed, and no process retries before that time.
   */
  refreshOwner: string | null;
  refreshUntil: number | null;
}

/** Reads whether a process is refreshing a holder's tokens; returns undefined if there are no such tokens. */
export async function findRefreshState(
  queries: Queries,
  holder: TokenHolder,
): Promise<RefreshState | undefined> {
  const { table, key, sealed } = tokensOf(holder);
  return queries
    .selectFrom(table)
    .select(['version', 'refresh_owner as refreshOwner', 'refresh_until as refreshUntil'])
    .where((eb) => eb.and(key))
    .where(sealed, 'is not', null)
    .executeTakeFirst();
}

/**
 * Ends a lease after a failed refresh, so that no process retries before `until`. Does nothing if the lease was lost.
 */
export async function postponeRefresh(
  tx: Tx,
  lease: { holder: TokenHolder; owner: string; until: number },
): Promise<void> {
  const { table, key } = tokensOf(lease.holder);
  await tx
    .updateTable(table)
    .set({ refresh_owner: null, refresh_until: lease.until })
    .where((eb) => eb.and({ ...key, refresh_owner: lease.owner }))
    .execute();
}

/**
 * Writes refreshed tokens and ends the lease, if the stored tokens still have the version `ifVersion`. Otherwise writes
 * nothing and returns false: a newer install or refresh has replaced the tokens, or they were erased (invariant 8).
 * `expiresAt` is in milliseconds since 1970.
 */
export async function saveRefreshedToken(
  tx: Tx,
  refreshed: { holder: TokenHolder; ifVersion: number; sealed: string; expiresAt: number; now: number },
): Promise<boolean> {
  const { holder, ifVersion } = refreshed;
  const { table, key, sealed, expiresAt } = tokensOf(holder);
  const { numUpdatedRows } = await tx
    .updateTable(table)
    .set({
      version: ifVersion + 1,
      refresh_owner: null,
      refresh_until: null,
      [sealed]: refreshed.sealed,
      [expiresAt]: refreshed.expiresAt,
      ...(holder.userId !== undefined && { updated_at: refreshed.now }),
    })
    .where((eb) => eb.and({ ...key, version: ifVersion }))
    .where(sealed, 'is not', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Finds the holders of tokens that have expired or expire by `before`. Omits a token if its refresh is in progress or
 * postponed. Returns at most `limit` bots of active installations, and at most `limit` people of installations that are
 * not uninstalled. The holders whose tokens expire soonest come first.
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
  // Why no join: with a join, the database would read every installation to find the few user tokens that expire.
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
