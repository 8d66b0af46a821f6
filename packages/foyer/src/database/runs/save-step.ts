import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { StepAttemptRow, StepRow } from '../records.ts';

const updateStep = prepareQuery((queries, given: Given<Omit<StepRow, 'position'>>) =>
  queries
    .updateTable('steps')
    .set({
      status: given.status,
      attempts: given.attempts,
      failures: given.failures,
      output: given.output,
      error_code: given.error_code,
      error_message: given.error_message,
      started_at: given.started_at,
      finished_at: given.finished_at,
    })
    .where('run_id', '=', given.run_id)
    .where('name', '=', given.name),
);

const insertAttempt = prepareQuery((queries, given: Given<StepAttemptRow>) =>
  queries.insertInto('step_attempts').values({
    run_id: given.run_id,
    step_name: given.step_name,
    attempt: given.attempt,
    outcome: given.outcome,
    error_code: given.error_code,
    error_message: given.error_message,
    started_at: given.started_at,
    finished_at: given.finished_at,
  }),
);

/**
 * Writes a step's row as it is to stand from now on: who holds the run's lease is the only one to change its steps, so
 * the row that was read before is the row that is there.
 */
export async function saveStep(transaction: Queries, step: StepRow): Promise<void> {
  await updateStep(transaction, step);
}

/** Writes the first that is known of an attempt: that it began, or all of it. */
export async function saveAttempt(transaction: Queries, attempt: StepAttemptRow): Promise<void> {
  await insertAttempt(transaction, attempt);
}
