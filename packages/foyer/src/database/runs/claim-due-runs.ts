import type { Database } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { RunLease } from './hold-lease.ts';

/** What to claim, and for how long. */
export interface Claim {
  limit: number;
  now: number;
  leaseUntil: number;
  /** Of these runs and no others: an owner is named for one claim. */
  owner: string;
}

const claimRuns = prepareQuery((queries, given: Given<Claim>) =>
  queries
    // Named before it is used, so that Postgres locks no more than it claims. Only what may be claimed has a `due_at`: to
    // ask for its status as well, or to order by the id, makes SQLite look at every run that is not over.
    .with('due', (due) =>
      due
        .selectFrom('runs')
        .select('id')
        .where('due_at', '<=', given.now)
        .orderBy('due_at')
        .limit(given.limit)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('runs')
    .set((expression) => ({
      status: 'running',
      started_at: expression.fn.coalesce('started_at', given.now),
      finished_at: null,
      due_at: given.leaseUntil,
      waiting_for: null,
      lease_owner: given.owner,
      lease_until: given.leaseUntil,
    }))
    .where('id', 'in', (expression) => expression.selectFrom('due').select('due.id'))
    .returning('id'),
);

/**
 * Claims runs that are due, the longest due first: queued ones, those whose waiting is over, and running ones whose
 * lease has lapsed (a running run falls due when its lease ends), the caller's own among them. Those that another worker
 * is claiming are passed over.
 * @throws DatabaseUnavailableError
 */
export async function claimDueRuns(database: Database, claim: Claim): Promise<RunLease[]> {
  const { limit, now, leaseUntil, owner } = claim;
  const { rows } = await database.write((transaction) =>
    claimRuns(transaction, { limit, now, leaseUntil, owner }),
  );
  return rows.map(({ id }) => ({ runId: id, owner }));
}
