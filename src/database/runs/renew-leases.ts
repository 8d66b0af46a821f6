import type { Database } from '../database.ts';

/**
 * Prolongs leases, and returns the owners of those that still hold: whoever is missing has lost his run to a
 * cancellation or to another worker.
 * @throws DatabaseUnavailableError
 */
export async function renewLeases(
  database: Database,
  renewal: { owners: readonly string[]; leaseUntil: number },
): Promise<string[]> {
  const renewed = await database.write((transaction) =>
    transaction
      .updateTable('runs')
      .set({ lease_until: renewal.leaseUntil, due_at: renewal.leaseUntil })
      .where('status', '=', 'running')
      .where('lease_owner', 'in', renewal.owners)
      .returning('lease_owner')
      .execute(),
  );
  return renewed.flatMap((run) => run.lease_owner ?? []);
}
