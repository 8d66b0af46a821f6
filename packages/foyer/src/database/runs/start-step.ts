import type { Queries } from '../database.ts';
import type { StepRow } from '../records.ts';
import { saveAttempt, saveStep } from './save-step.ts';

/** A step's row once its next attempt has begun. */
export function startedStep(step: StepRow, now: number): StepRow {
  return {
    ...step,
    status: 'running',
    attempts: step.attempts + 1,
    started_at: step.started_at ?? now,
    finished_at: null,
    error_code: null,
    error_message: null,
  };
}

/** Records that the next attempt of a step begins: committed before the step may do anything. Returns its row. */
export async function startStep(transaction: Queries, step: StepRow, now: number): Promise<StepRow> {
  const started = startedStep(step, now);
  await saveStep(transaction, started);
  await saveAttempt(transaction, {
    run_id: step.run_id,
    step_name: step.name,
    attempt: started.attempts,
    outcome: 'started',
    error_code: null,
    error_message: null,
    started_at: now,
    finished_at: null,
  });
  return started;
}
