import type { Queries } from '../database.ts';
import type { StepRow } from '../records.ts';
import { saveStep } from './save-step.ts';

/** The error code of a step that was skipped since one that the run needs had failed; a retry tries it too. */
export const earlierStepFailed = 'earlier_step_failed';

/** Records that a step is not even tried. Returns its row as it now stands. */
export async function skipStep(
  transaction: Queries,
  step: StepRow,
  why: { code: string; message: string; now: number },
): Promise<StepRow> {
  const skipped: StepRow = {
    ...step,
    status: 'skipped',
    error_code: why.code,
    error_message: why.message,
    finished_at: why.now,
  };
  await saveStep(transaction, skipped);
  return skipped;
}
