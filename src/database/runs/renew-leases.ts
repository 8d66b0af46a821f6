import type { Database, Queries } from '../database.ts';
import type { RunLease } from './hold-lease.ts';

/**
 * Prolongs leases, and returns the ids of the runs whose lease still holds: whatever is missing was cancelled, or is
 * another worker's.
 * @throws DatabaseUnavailableError
 */
export async function renewLeases(
  database: Database,
  renewal: { leases: readonly RunLease[]; leaseUntil: number },
): Promise<string[]> {
  const renewed = await database.write((transaction) =>
    transaction
      .updateTable('runs')
      .set({ lease_until: renewal.leaseUntil, due_at: renewal.leaseUntil })
      .where('status', '=', 'running')
      .where('id', 'in', runIdsOf(renewal.leases))
      .where('lease_owner', 'in', ownersOf(renewal.leases))
      .returning('id')
      .execute(),
  );
  return renewed.map((run) => run.id);
}

/** The ids of the runs whose lease still holds, without prolonging it. @throws DatabaseUnavailableError */
export async function findHeldRuns(queries: Queries, leases: readonly RunLease[]): Promise<string[]> {
  const held = await queries
    .selectFrom('runs')
    .select('id')
    .where('status', '=', 'running')
    .where('id', 'in', runIdsOf(leases))
    .where('lease_owner', 'in', ownersOf(leases))
    .execute();
  return held.map((run) => run.id);
}

const runIdsOf = (leases: readonly RunLease[]): string[] => leases.map((lease) => lease.runId);
const ownersOf = (leases: readonly RunLease[]): string[] => leases.map((lease) => lease.owner);
