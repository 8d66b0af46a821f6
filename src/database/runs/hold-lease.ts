import type { Queries } from '../database.ts';

/** A claim to work on one run. An owner claims a run once, so nobody can mistake another's claim for his own. */
export interface RunLease {
  runId: string;
  /** `host:pid:startId/claim`. */
  owner: string;
}

/**
 * Whether the lease still holds: false once the run was cancelled, or claimed anew after the lease had lapsed. It
 * locks the run's row until the transaction ends, so what follows in it cannot be overtaken.
 */
export async function holdLease(transaction: Queries, lease: RunLease): Promise<boolean> {
  const held = await transaction
    .updateTable('runs')
    .set({ lease_owner: lease.owner })
    .where('id', '=', lease.runId)
    .where('lease_owner', '=', lease.owner)
    .where('status', '=', 'running')
    .returning('id')
    .executeTakeFirst();
  return held !== undefined;
}
