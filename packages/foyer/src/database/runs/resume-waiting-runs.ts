import type { Queries } from '../database.ts';

/** Makes due the runs of an installation that wait for an event; returns their ids. */
export async function resumeWaitingRuns(
  transaction: Queries,
  resume: { installationId: string; event: string; now: number },
): Promise<string[]> {
  const rows = await transaction
    .updateTable('runs')
    .set({ status: 'queued', due_at: resume.now, waiting_for: null })
    .where('installation_id', '=', resume.installationId)
    // Only what waits has a `waiting_for`: to ask for the status too makes SQLite look at every run that waits.
    .where('waiting_for', '=', resume.event)
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}
