import type { Queries } from '../database.ts';

/** The error code of a step that was skipped since one that the run needs had failed; a retry tries it too. */
export const earlierStepFailed = 'earlier_step_failed';

/** Records that a step is not even tried. */
export async function skipStep(
  transaction: Queries,
  step: { runId: string; name: string; code: string; message: string; now: number },
): Promise<void> {
  await transaction
    .updateTable('steps')
    .set({
      status: 'skipped',
      error_code: step.code,
      error_message: step.message,
      finished_at: step.now,
    })
    .where('run_id', '=', step.runId)
    .where('name', '=', step.name)
    .execute();
}
