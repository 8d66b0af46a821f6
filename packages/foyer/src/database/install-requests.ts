import { sql } from 'kysely';
import type { Queries, Tx } from './database.ts';
import type { InstallRequestRow } from './records.ts';

/** What the OAuth `state` alone says about an attempt. */
export interface NewInstallRequest {
  /** The state's id. */
  id: string;
  clientId: string;
  progressHash: string;
  requestedTeamId: string | null;
  now: number;
}

/** The columns of a request's row that change in the course of the OAuth attempt. */
type Standing = Pick<InstallRequestRow, 'outcome' | 'error_code' | 'used_at' | 'finished_at'>;

/**
 * Marks a state as used. Returns true only to the first caller, which may then exchange the code (invariant 5: a state
 * is used once). If an attempt ended at Slack's consent page, its state still counts as unused, because the person can
 * go back and press Allow.
 */
export async function consumeState(tx: Tx, request: NewInstallRequest): Promise<boolean> {
  const started = { outcome: 'started', used_at: request.now, error_code: null, finished_at: null } as const;
  if (await insertRequest(tx, request, started)) return true;
  const { numUpdatedRows } = await tx
    .updateTable('install_requests')
    .set(started)
    .where('id', '=', request.id)
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Records an OAuth attempt that ended at Slack's consent page: the person canceled, or Slack reported an error. If the
 * browser reloads the callback, the first outcome stays.
 */
export async function recordUnusedRequest(
  tx: Tx,
  request: NewInstallRequest,
  end: { outcome: 'cancelled' | 'failed'; errorCode: string },
): Promise<void> {
  const { outcome, errorCode: error_code } = end;
  await insertRequest(tx, request, { outcome, error_code, used_at: null, finished_at: request.now });
}

/** Inserts a request if it is new. Returns whether it was new. */
async function insertRequest(tx: Tx, request: NewInstallRequest, standing: Standing): Promise<boolean> {
  const inserted = await tx
    .insertInto('install_requests')
    .values({
      id: request.id,
      client_id: request.clientId,
      progress_hash: request.progressHash,
      started_at: request.now,
      requested_team_id: request.requestedTeamId,
      ...standing,
    })
    // The clause names no index, because two inserts at the same time may conflict in either of two indexes: the id's
    // or the progress hash's.
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

/** Records that an attempt failed or was refused after its state was used. Changes only a `started` attempt. */
export async function failInstallRequest(
  tx: Tx,
  failure: { id: string; outcome?: 'failed' | 'refused'; errorCode: string; now: number },
): Promise<void> {
  await tx
    .updateTable('install_requests')
    .set({ outcome: failure.outcome ?? 'failed', error_code: failure.errorCode, finished_at: failure.now })
    .where('id', '=', failure.id)
    .where('outcome', '=', 'started')
    .execute();
}

/**
 * Stores sealed tokens that Slack has issued but that are not yet stored in an installation. With null, deletes them.
 */
export async function keepUnstoredTokens(
  tx: Tx,
  request: { id: string; sealedTokens: string | null },
): Promise<void> {
  await tx
    .updateTable('install_requests')
    .set({ sealed_tokens: request.sealedTokens })
    .where('id', '=', request.id)
    .execute();
}

/** Finds an OAuth attempt by the hash of its progress token. */
export async function findInstallRequest(
  queries: Queries,
  progressHash: string,
): Promise<InstallRequestRow | undefined> {
  return queries
    .selectFrom('install_requests')
    .selectAll()
    .where('progress_hash', '=', progressHash)
    .executeTakeFirst();
}

/** A callback is answered within ten seconds; 30 s leaves room for a slow commit. */
const longestCallbackMs = 30_000;

/** Finds the OAuth attempt that led to a run; `storedAt` is when the run was created. */
export async function findRequestOfRun(
  queries: Queries,
  search: { clientId: string; runId: string; storedAt: number },
): Promise<Pick<InstallRequestRow, 'id' | 'started_at'> | undefined> {
  const { clientId, runId, storedAt } = search;
  return (
    queries
      .selectFrom('install_requests')
      .select(['id', 'started_at'])
      .where('client_id', '=', clientId)
      .where('outcome', '=', 'installed')
      // Why the conditions on the time: `run_id` has no index, but with the index of `started_at` the search reads only
      // a few rows.
      .where('started_at', '>=', storedAt - longestCallbackMs)
      .where('started_at', '<=', storedAt)
      .where('run_id', '=', runId)
      .executeTakeFirst()
  );
}

/**
 * Finds two kinds of OAuth attempts that began before `before`: attempts that a crash left open, and attempts whose
 * tokens Foyer must still revoke. Returns at most `limit` of each kind. Why two queries: each condition has its own
 * index, and no index serves both.
 */
export async function findInterruptedRequests(
  queries: Queries,
  search: { clientId: string; before: number; limit: number },
): Promise<InstallRequestRow[]> {
  const { clientId, before, limit } = search;
  const begunBefore = queries
    .selectFrom('install_requests')
    .selectAll()
    .where('client_id', '=', clientId)
    .where('started_at', '<', before)
    .limit(limit);
  const open = await begunBefore.where('outcome', '=', sql.lit('started')).orderBy('started_at').execute();
  // The order is random, so that tokens whose revocation always fails do not block the others.
  const unstored = await begunBefore.where('sealed_tokens', 'is not', null).orderBy(sql`random()`).execute();
  return [...new Map([...open, ...unstored].map((row) => [row.id, row])).values()];
}

/**
 * Erases up to `limit` requests that began before `before`, the oldest first. With `outcome`, erases only requests with
 * this outcome. Keeps requests whose tokens are not yet revoked. Returns how many it erased. Why a limit: one write
 * transaction must not block the others for long.
 */
export async function sweepInstallRequests(
  transaction: Queries,
  sweep: { clientId: string; before: number; outcome?: 'cancelled' | 'failed'; limit: number },
): Promise<number> {
  // Selects and deletes in two queries, because Postgres would scan all ids for a combined query.
  const found = await transaction
    .selectFrom('install_requests')
    .select('id')
    .where((eb) => eb.and({ client_id: sweep.clientId, outcome: sweep.outcome }))
    .where('started_at', '<', sweep.before)
    .where('sealed_tokens', 'is', null)
    .orderBy('started_at')
    .limit(sweep.limit)
    .execute();
  if (found.length === 0) return 0;
  const ids = found.map(({ id }) => id);
  const swept = await transaction
    .deleteFrom('install_requests')
    .where('id', 'in', ids)
    .where('sealed_tokens', 'is', null)
    .executeTakeFirst();
  return Number(swept.numDeletedRows);
}

/**
 * Returns when one of the newest requests with this outcome began. If `count` is 1, this is the newest request, if
 * `count` is 2, the second newest, and so on. Returns undefined if fewer than `count` requests have this outcome.
 */
export async function startOfNewest(
  queries: Queries,
  search: { clientId: string; outcome: 'cancelled' | 'failed'; count: number },
): Promise<number | undefined> {
  const row = await queries
    .selectFrom('install_requests')
    .select('started_at')
    .where('client_id', '=', search.clientId)
    .where('outcome', '=', search.outcome)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .offset(search.count - 1)
    .limit(1)
    .executeTakeFirst();
  return row?.started_at;
}

/** The result of a successful OAuth attempt. */
interface InstalledRequest {
  id: string;
  teamId: string | null;
  teamName: string | null;
  enterpriseId: string | null;
  userId: string;
  installationId: string;
  /** Null if there is no run, because a member only connected their own account to an installed app. */
  runId: string | null;
  /**
   * Whether the request's row keeps its sealed tokens; false by default. True if Slack issued tokens that were not
   * stored in the installation, because Foyer must still revoke them.
   */
  leavesTokens?: boolean;
  now: number;
}

/**
 * Marks an OAuth attempt as installed. Without `leavesTokens`, also deletes the sealed tokens of its request. Call it
 * in the transaction that stores the installation (invariant 1: tokens are stored or revoked).
 */
export async function finishInstallRequest(tx: Tx, request: InstalledRequest): Promise<void> {
  await tx
    .updateTable('install_requests')
    .set({
      outcome: 'installed',
      error_code: null,
      finished_at: request.now,
      team_id: request.teamId,
      team_name: request.teamName,
      enterprise_id: request.enterpriseId,
      user_id: request.userId,
      installation_id: request.installationId,
      run_id: request.runId,
      ...(!request.leavesTokens && { sealed_tokens: null }),
    })
    .where('id', '=', request.id)
    .execute();
}
