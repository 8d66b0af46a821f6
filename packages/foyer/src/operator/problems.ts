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
