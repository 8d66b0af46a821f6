import type { Queries } from '../database.ts';
import type { InstallRequestOutcome, InstallRequestRow } from '../records.ts';

/** What is known of a pass through OAuth from its state alone. */
export interface NewInstallRequest {
  /** The state's id. */
  id: string;
  clientId: string;
  progressHash: string;
  requestedTeamId: string | null;
  now: number;
}

function newRow(request: NewInstallRequest, outcome: InstallRequestOutcome): InstallRequestRow {
  return {
    id: request.id,
    client_id: request.clientId,
    progress_hash: request.progressHash,
    outcome,
    error_code: null,
    started_at: request.now,
    used_at: null,
    finished_at: null,
    requested_team_id: request.requestedTeamId,
    team_id: null,
    team_name: null,
    enterprise_id: null,
    user_id: null,
    installation_id: null,
    run_id: null,
    sealed_tokens: null,
  };
}

/**
 * Uses a state up: true for the one caller that may exchange its code, false for everybody after it (invariant 5).
 * A request that was only cancelled has not used its state, so Back and Allow still work.
 */
export async function consumeState(transaction: Queries, request: NewInstallRequest): Promise<boolean> {
  const used = { outcome: 'started' as const, used_at: request.now, error_code: null, finished_at: null };
  return putUnused(transaction, { ...newRow(request, 'started'), used_at: request.now }, used);
}

/**
 * Inserts a request, or changes the one that is there if its state was not used; true where it did either. No index is
 * named for the conflict, since two that come at once may meet in any of them.
 */
async function putUnused(
  transaction: Queries,
  row: InstallRequestRow,
  change: Partial<InstallRequestRow>,
): Promise<boolean> {
  const inserted = await transaction
    .insertInto('install_requests')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted) return true;
  const changed = await transaction
    .updateTable('install_requests')
    .set(change)
    .where('id', '=', row.id)
    .where('used_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return changed !== undefined;
}

/** Records a pass that ended at Slack's consent page: cancelled there, or refused with an error. */
export async function recordUnusedRequest(
  transaction: Queries,
  request: NewInstallRequest,
  end: { outcome: 'cancelled' | 'failed'; errorCode: string },
): Promise<void> {
  const ended = { outcome: end.outcome, error_code: end.errorCode, finished_at: request.now };
  await putUnused(transaction, { ...newRow(request, end.outcome), ...ended }, ended);
}

/** Records that a pass whose state was used has failed. An installed one is left as it is. */
export async function failInstallRequest(
  transaction: Queries,
  failure: { id: string; errorCode: string; now: number },
): Promise<void> {
  await transaction
    .updateTable('install_requests')
    .set({ outcome: 'failed', error_code: failure.errorCode, finished_at: failure.now })
    .where('id', '=', failure.id)
    .where('outcome', '=', 'started')
    .execute();
}

/** Keeps (or, with null, forgets) the sealed tokens that Slack issued and that no installation holds yet. */
export async function keepUnstoredTokens(
  transaction: Queries,
  request: { id: string; sealedTokens: string | null },
): Promise<void> {
  await transaction
    .updateTable('install_requests')
    .set({ sealed_tokens: request.sealedTokens })
    .where('id', '=', request.id)
    .execute();
}

/** Finds a pass by the hash of its progress token. */
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

/**
 * Finds passes that began before `before` and were left in the middle, by a crash or a failed clean-up. Two queries,
 * since each has an index of its own and their `or` has none.
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
    .orderBy('started_at')
    .limit(limit);
  const open = await begunBefore.where('outcome', '=', 'started').execute();
  const unstored = await begunBefore.where('sealed_tokens', 'is not', null).execute();
  return [...new Map([...open, ...unstored].map((row) => [row.id, row])).values()];
}

/** Erases passes that began before `before`; those with tokens still to be revoked stay. */
export async function sweepInstallRequests(
  transaction: Queries,
  sweep: { clientId: string; before: number },
): Promise<number> {
  const swept = await transaction
    .deleteFrom('install_requests')
    .where('client_id', '=', sweep.clientId)
    .where('started_at', '<', sweep.before)
    .where('sealed_tokens', 'is', null)
    .executeTakeFirst();
  return Number(swept.numDeletedRows);
}
