import type { Queries } from '../database.ts';
import { pendingStep } from './pending-step.ts';

/**
 * Queues a run that nobody works on, with some of its steps to be done anew. Their attempts stay counted, so that no
 * attempt takes the number of an earlier one.
 */
export async function queueRun(
  transaction: Queries,
  run: { id: string; now: number; stepsToRepeat: readonly string[] },
): Promise<void> {
  if (run.stepsToRepeat.length > 0) {
    await transaction
      .updateTable('steps')
      .set(pendingStep)
      .where('run_id', '=', run.id)
      .where('name', 'in', run.stepsToRepeat)
      .execute();
  }
  await transaction
    .updateTable('runs')
    .set({ status: 'queued', due_at: run.now, waiting_for: null, finished_at: null })
    .where('id', '=', run.id)
    .execute();
}
