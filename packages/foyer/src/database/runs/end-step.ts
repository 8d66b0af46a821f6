import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { AttemptOutcome, StepAttemptRow, StepRow, StepStatus } from '../records.ts';
import { saveAttempt, saveStep } from './save-step.ts';
import { startedStep } from './start-step.ts';

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

const endAttempt = prepareQuery((queries, given: Given<Omit<StepAttemptRow, 'started_at'>>) =>
  queries
    .updateTable('step_attempts')
    .set({
      outcome: given.outcome,
      error_code: given.error_code,
      error_message: given.error_message,
      finished_at: given.finished_at,
    })
    .where('run_id', '=', given.run_id)
    .where('step_name', '=', given.step_name)
    .where('attempt', '=', given.attempt),
);

/** Records the end of the attempt that a step's row counts last. Returns the row as it now stands. */
export async function endStep(
  transaction: Queries,
  step: StepRow,
  ending: StepEnding,
  now: number,
): Promise<StepRow> {
  const ended = endedStep(step, ending, now);
  await saveStep(transaction, ended);
  await endAttempt(transaction, endOfAttempt(ended, ending, now));
  return ended;
}

/** Records an attempt that has begun and ended in this transaction. Returns the step's row as it now stands. */
export async function recordStep(
  transaction: Queries,
  step: StepRow,
  ending: StepEnding,
  now: number,
): Promise<StepRow> {
  const ended = endedStep(startedStep(step, now), ending, now);
  await saveStep(transaction, ended);
  await saveAttempt(transaction, { ...endOfAttempt(ended, ending, now), started_at: now });
  return ended;
}

function endedStep(step: StepRow, ending: StepEnding, now: number): StepRow {
  const { status, failures, output, errorCode: error_code, errorMessage: error_message } = ending;
  const finished_at = status === 'pending' || status === 'retrying' ? null : now;
  return { ...step, status, failures, output, error_code, error_message, finished_at };
}

function endOfAttempt(step: StepRow, { outcome, errorCode, errorMessage }: StepEnding, now: number) {
  return {
    run_id: step.run_id,
    step_name: step.name,
    attempt: step.attempts,
    outcome,
    error_code: errorCode,
    error_message: errorMessage,
    finished_at: now,
  };
}
