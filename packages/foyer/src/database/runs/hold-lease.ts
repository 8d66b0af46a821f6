import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';

/** A claim to work on one run. An owner claims a run once, so nobody can mistake another's claim for his own. */
export interface RunLease {
  runId: string;
  /** `host:pid:startId/claim`. */
  owner: string;
}

const lockHeldRun = prepareQuery((queries, given: Given<{ runId: string; owner: string }>) =>
  queries
    .selectFrom('runs')
    .select('id')
    .where('id', '=', given.runId)
    .where('lease_owner', '=', given.owner)
    .where('status', '=', 'running')
    .forNoKeyUpdate(),
);

/**
 * Whether the lease still holds: false once the run was cancelled, or claimed anew after the lease had lapsed. It
 * locks the run's row until the transaction ends, so what follows in it cannot be overtaken.
 */
export async function holdLease(transaction: Queries, { runId, owner }: RunLease): Promise<boolean> {
  const { rows } = await lockHeldRun(transaction, { runId, owner });
  return rows.length > 0;
}
