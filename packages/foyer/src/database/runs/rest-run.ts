import type { Queries } from '../database.ts';

/** When a run that rests goes on. */
export interface Rest {
  /** queued: it was only handed back; waiting: for a time or an event. */
  status: 'queued' | 'waiting';
  /** Null while it waits for an event. */
  dueAt: number | null;
  waitingFor: string | null;
}

/** Gives the lease of a run back, to be claimed again later. The caller holds the lease. */
export async function restRun(transaction: Queries, runId: string, rest: Rest): Promise<void> {
  await transaction
    .updateTable('runs')
    .set({
      status: rest.status,
      due_at: rest.dueAt,
      waiting_for: rest.waitingFor,
      lease_owner: null,
      lease_until: null,
    })
    .where('id', '=', runId)
    .execute();
}
