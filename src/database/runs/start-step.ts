import type { Queries } from '../database.ts';

/** Records that an attempt of a step begins: committed before the step may do anything. */
export async function startStep(
  transaction: Queries,
  step: { runId: string; name: string; attempt: number; now: number },
): Promise<void> {
  await transaction
    .updateTable('steps')
    .set((expression) => ({
      status: 'running',
      attempts: step.attempt,
      started_at: expression.fn.coalesce('started_at', expression.val(step.now)),
      finished_at: null,
      error_code: null,
      error_message: null,
    }))
    .where('run_id', '=', step.runId)
    .where('name', '=', step.name)
    .execute();
  await transaction
    .insertInto('step_attempts')
    .values({
      run_id: step.runId,
      step_name: step.name,
      attempt: step.attempt,
      outcome: 'started',
      error_code: null,
      error_message: null,
      started_at: step.now,
      finished_at: null,
    })
    .execute();
}
