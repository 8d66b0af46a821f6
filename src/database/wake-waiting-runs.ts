import type { Queries } from './database.ts';

/**
 * Queues the runs of an installation that wait for an event, in the transaction that records the event. Returns their
 * ids. Wake the worker once it is committed.
 */
export async function wakeWaitingRuns(
  transaction: Queries,
  wake: { installationId: string; event: 'team_access_granted'; now: number },
): Promise<string[]> {
  const woken = await transaction
    .updateTable('runs')
    .set({ status: 'queued', due_at: wake.now, waiting_for: null })
    .where('installation_id', '=', wake.installationId)
    .where('status', '=', 'waiting')
    .where('waiting_for', '=', wake.event)
    .returning('id')
    .execute();
  return woken.map((run) => run.id);
}
