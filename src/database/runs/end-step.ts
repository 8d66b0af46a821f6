import type { Queries } from '../database.ts';
import type { AttemptOutcome, StepStatus } from '../records.ts';

/** How an attempt of a step ended, and where that leaves the step. */
export interface StepEnding {
  status: Exclude<StepStatus, 'running'>;
  outcome: AttemptOutcome;
  failures: number;
  /** JSON text of what the step returned. */
  output: string | null;
  errorCode: string | null;
  errorMessage: string | null;
}

/** Records the end of an attempt. */
export async function endStep(
  transaction: Queries,
  step: { runId: string; name: string; attempt: number; now: number },
  ending: StepEnding,
): Promise<void> {
  const { status, outcome, failures, output, errorCode: error_code, errorMessage: error_message } = ending;
  const finished_at = status === 'pending' || status === 'retrying' ? null : step.now;
  await transaction
    .updateTable('steps')
    .set({ status, failures, output, error_code, error_message, finished_at })
    .where('run_id', '=', step.runId)
    .where('name', '=', step.name)
    .execute();
  await transaction
    .updateTable('step_attempts')
    .set({ outcome, error_code, error_message, finished_at: step.now })
    .where('run_id', '=', step.runId)
    .where('step_name', '=', step.name)
    .where('attempt', '=', step.attempt)
    .execute();
}
