import { sql } from 'kysely';
import type { Database } from '../database.ts';

/**
 * Queues again the runs whose worker is known to be dead, so that a restart need not wait for their leases to lapse.
 * Returns the ids of those runs.
 * @throws DatabaseUnavailableError
 */
export async function releaseDeadLeases(
  database: Database,
  release: { isDead(owner: string): boolean; now: number },
): Promise<string[]> {
  return database.write(async (transaction) => {
    const running = await transaction
      .selectFrom('runs')
      .select(['id', 'lease_owner'])
      .where('status', '=', sql.lit('running'))
      .where('lease_owner', 'is not', null)
      .execute();
    const released: string[] = [];
    for (const run of running) {
      if (run.lease_owner === null || !release.isDead(run.lease_owner)) continue;
      const freed = await transaction
        .updateTable('runs')
        .set({ status: 'queued', due_at: release.now, lease_owner: null, lease_until: null })
        .where('id', '=', run.id)
        .where('lease_owner', '=', run.lease_owner)
        .returning('id')
        .executeTakeFirst();
      if (freed) released.push(freed.id);
    }
    return released;
  });
}
