import type { Database, Queries } from '../database.ts';
import type { RunRow } from '../records.ts';
import type { RunLease } from './hold-lease.ts';

/**
 * Prolongs leases, and returns those that still hold: the run of any that is missing was cancelled, or is another
 * worker's.
 * @throws DatabaseUnavailableError
 */
export async function renewLeases(
  database: Database,
  renewal: { leases: readonly RunLease[]; leaseUntil: number },
): Promise<RunLease[]> {
  const renewed = await database.write((transaction) =>
    transaction
      .updateTable('runs')
      .set({ lease_until: renewal.leaseUntil, due_at: renewal.leaseUntil })
      .where('status', '=', 'running')
      .where('id', 'in', runIdsOf(renewal.leases))
      .where('lease_owner', 'in', ownersOf(renewal.leases))
      .returning(['id', 'lease_owner'])
      .execute(),
  );
  return renewed.map(leaseOf);
}

/** The leases that still hold, without prolonging them. @throws DatabaseUnavailableError */
export async function findHeldRuns(queries: Queries, leases: readonly RunLease[]): Promise<RunLease[]> {
  const held = await queries
    .selectFrom('runs')
    .select(['id', 'lease_owner'])
    .where('status', '=', 'running')
    .where('id', 'in', runIdsOf(leases))
    .where('lease_owner', 'in', ownersOf(leases))
    .execute();
  return held.map(leaseOf);
}

const leaseOf = (run: Pick<RunRow, 'id' | 'lease_owner'>): RunLease => ({
  runId: run.id,
  owner: run.lease_owner ?? '',
});
const runIdsOf = (leases: readonly RunLease[]): string[] => leases.map((lease) => lease.runId);
const ownersOf = (leases: readonly RunLease[]): string[] => leases.map((lease) => lease.owner);
