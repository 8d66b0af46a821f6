import { sql } from 'kysely';
import type { Queries } from '../database/database.ts';
import { type InstallRecord, readInstallRecord } from '../database/install-record.ts';
import { countUpTo, mostProblems } from './kept-counts.ts';
import { type InstallRequestRecord, listInstallRequests } from './request-lists.ts';

/**
 * The newest cases of a kind of problem, newest first, and the number of all cases, counted up to `mostProblems` + 1.
 */
export interface Problems<Case> {
  newest: readonly Case[];
  count: number;
}

/** Finds the installations whose welcome may or may not have arrived, except uninstalled ones. */
export async function readUnconfirmedWelcomes(
  queries: Queries,
  search: { clientId: string; limit: number },
): Promise<Problems<InstallRecord>> {
  const unconfirmed = queries
    .selectFrom('welcomes')
    .select('installation_id as id')
    // A literal, as in the condition of the partial index: with a parameter, SQLite would not use that index.
    .where('status', '=', sql.lit('unconfirmed'))
    // Not a join: SQLite would then read every installation first, although few welcomes are unconfirmed.
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('installations')
          .select('installations.id')
          .whereRef('installations.id', '=', 'welcomes.installation_id')
          .whereRef('installations.life', '=', 'welcomes.life')
          .where('installations.client_id', '=', search.clientId)
          .where('installations.status', '!=', 'uninstalled'),
      ),
    );
  const count = await countUpTo(queries, unconfirmed, mostProblems + 1);
  if (count === 0) return { newest: [], count };
  const rows = await unconfirmed.orderBy('attempted_at', 'desc').limit(search.limit).execute();
  const records = await Promise.all(rows.map(({ id }) => readInstallRecord(queries, id)));
  return { newest: records.filter((record) => record !== undefined), count };
}

/**
 * Finds install requests since `from` that were refused: by the gate, or because the workspace belongs to another
 * account.
 */
export async function readRefusedRequests(
  queries: Queries,
  search: { clientId: string; from: number; limit: number },
): Promise<Problems<InstallRequestRecord>> {
  const refused = queries
    .selectFrom('install_requests')
    .select('id')
    .where('client_id', '=', search.clientId)
    .where('outcome', '=', 'refused')
    .where('started_at', '>=', search.from);
  const count = await countUpTo(queries, refused, mostProblems + 1);
  if (count === 0) return { newest: [], count };
  return { newest: await listInstallRequests(queries, { ...search, outcome: 'refused' }), count };
}

/** The installs that failed after the last one that succeeded. */
export interface FailingInstalls {
  /**
   * The number of failed installs. If public distribution is off, counts only those that Slack refused because it is
   * off.
   */
  count: number;
  /** The most frequent error code. */
  code: string;
  /** Whether Slack refused at least one install in another workspace because the app's public distribution is off. */
  isUndistributed: boolean;
}

/** Slack's error if a workspace other than the app's own installs the app while public distribution is off. */
const undistributedCode = 'invalid_team_for_non_distributed_app';
/** Foyer reports failed installs from this number on: people try again, and strangers can make an attempt fail. */
const failingFrom = 3;
const dayMs = 86_400_000;

/**
 * Finds the installs of the last 24 hours that failed since the last one that succeeded. Undefined if there are fewer
 * than three, unless public distribution is off. `doctor` and the operator overview report them.
 */
export async function readFailingInstalls(
  queries: Queries,
  { clientId, now }: { clientId: string; now: number },
): Promise<FailingInstalls | undefined> {
  const search = { clientId, from: now - dayMs, limit: 500 };
  const failed = await listInstallRequests(queries, { ...search, outcome: 'failed' });
  const [installed] = await listInstallRequests(queries, { ...search, outcome: 'installed', limit: 1 });
  const counts = new Map<string, number>();
  for (const { startedAt, errorCode } of failed) {
    if (startedAt <= (installed?.startedAt ?? 0)) continue;
    const code = errorCode ?? 'unknown';
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const undistributed = counts.get(undistributedCode);
  if (undistributed) return { count: undistributed, code: undistributedCode, isUndistributed: true };
  const count = [...counts.values()].reduce((sum, each) => sum + each, 0);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most && count >= failingFrom ? { count, code: most[0], isUndistributed: false } : undefined;
}
