import type { Database, Queries } from '../database.ts';
import type { RunLease } from './hold-lease.ts';

/** What to claim, and for how long. */
export interface Claim {
  limit: number;
  now: number;
  leaseUntil: number;
  /** Runs that the caller works on already, however late their lease was renewed. */
  except: readonly string[];
  /** A new owner for each run claimed. */
  nextOwner(): string;
}

/**
 * Claims runs that are due, the longest due first: queued ones, those whose waiting is over, and running ones whose
 * lease has lapsed (a running run falls due when its lease ends). Looks before it writes: an idle worker writes nothing.
 * @throws DatabaseUnavailableError
 */
export async function claimDueRuns(database: Database, claim: Claim): Promise<RunLease[]> {
  const due = await findDue(database.queries, claim);
  if (due.length === 0) return [];
  return database.write(async (transaction) => {
    const leases: RunLease[] = [];
    for (const run of due) {
      const owner = claim.nextOwner();
      if (await claimRun(transaction, run, owner, claim)) leases.push({ runId: run.id, owner });
    }
    return leases;
  });
}

interface DueRun {
  id: string;
  due_at: number | null;
}

async function findDue(queries: Queries, claim: Claim): Promise<DueRun[]> {
  let query = queries
    .selectFrom('runs')
    .select(['id', 'due_at'])
    .where('due_at', '<=', claim.now)
    .where('status', 'in', ['queued', 'waiting', 'running']);
  if (claim.except.length > 0) query = query.where('id', 'not in', claim.except);
  return query.orderBy('due_at').orderBy('id').limit(claim.limit).execute();
}

/** Only one claimer can move a run on from the `due_at` that both have seen. */
async function claimRun(transaction: Queries, run: DueRun, owner: string, claim: Claim): Promise<boolean> {
  const claimed = await transaction
    .updateTable('runs')
    .set((expression) => ({
      status: 'running',
      started_at: expression.fn.coalesce('started_at', expression.val(claim.now)),
      finished_at: null,
      due_at: claim.leaseUntil,
      waiting_for: null,
      lease_owner: owner,
      lease_until: claim.leaseUntil,
    }))
    .where('id', '=', run.id)
    .where('due_at', '=', run.due_at)
    .where('status', 'in', ['queued', 'waiting', 'running'])
    .returning('id')
    .executeTakeFirst();
  return claimed !== undefined;
}
