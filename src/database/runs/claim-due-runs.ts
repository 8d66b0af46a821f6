import type { Database, Queries } from '../database.ts';
import type { RunLease } from './hold-lease.ts';

/** What to claim, and for how long. */
export interface Claim {
  limit: number;
  now: number;
  leaseUntil: number;
  /** Runs that the caller works on already, however late their lease was renewed. */
  except: readonly string[];
  /** Of these runs and no others: an owner is named for one claim. */
  owner: string;
}

/**
 * Claims runs that are due, the longest due first: queued ones, those whose waiting is over, and running ones whose
 * lease has lapsed (a running run falls due when its lease ends). Those that another worker is claiming are passed over.
 * Looks before it writes: an idle worker writes nothing.
 * @throws DatabaseUnavailableError
 */
export async function claimDueRuns(database: Database, claim: Claim): Promise<RunLease[]> {
  const isDue = await dueRuns(database.queries, claim).limit(1).executeTakeFirst();
  if (!isDue) return [];
  const claimed = await database.write((transaction) =>
    // Named before it is used, so that Postgres locks no more than it claims.
    transaction
      .with('due', (queries) => dueRuns(queries, claim).limit(claim.limit).forUpdate().skipLocked())
      .updateTable('runs')
      .set((expression) => ({
        status: 'running',
        started_at: expression.fn.coalesce('started_at', expression.val(claim.now)),
        finished_at: null,
        due_at: claim.leaseUntil,
        waiting_for: null,
        lease_owner: claim.owner,
        lease_until: claim.leaseUntil,
      }))
      .where('id', 'in', (expression) => expression.selectFrom('due').select('due.id'))
      .returning('id')
      .execute(),
  );
  return claimed.map(({ id }) => ({ runId: id, owner: claim.owner }));
}

function dueRuns(queries: Pick<Queries, 'selectFrom'>, claim: Claim) {
  let query = queries
    .selectFrom('runs')
    .select('id')
    .where('due_at', '<=', claim.now)
    .where('status', 'in', ['queued', 'waiting', 'running']);
  if (claim.except.length > 0) query = query.where('id', 'not in', claim.except);
  return query.orderBy('due_at').orderBy('id');
}
