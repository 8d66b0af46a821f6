import type { Queries, Tx } from './database.ts';
import { type Given, prepareQuery } from './prepared-query.ts';
import type { AttemptOutcome, StepAttemptRow, StepRow, StepStatus } from './records.ts';

/**
 * The columns of a step that will run, for the first time or again. A step that runs again keeps its `attempts`, so
 * this object does not contain them.
 */
export const pendingStep = {
  status: 'pending',
  failures: 0,
  output: null,
  error_code: null,
  error_message: null,
  started_at: null,
  finished_at: null,
} as const;

/** A step's row once its next attempt has begun. */
function startedStep(step: StepRow, now: number): StepRow {
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

/**
 * Records that the next attempt of a step begins. Commit this before the step does anything. Returns the step's new
 * row.
 */
export async function startStep(transaction: Tx, step: StepRow, now: number): Promise<StepRow> {
  const started = startedStep(step, now);
  await updateStep(transaction, started);
  await insertAttempt(transaction, {
    ...attemptOf(started, { outcome: 'started', errorCode: null, errorMessage: null }),
    started_at: now,
    finished_at: null,
  });
  return started;
}

/** The outcome of an attempt, and the state of the step after it. */
export interface StepEnding {
  status: Exclude<StepStatus, 'running'>;
  outcome: AttemptOutcome;
  failures: number;
  /** The step's output as JSON text; null if there is none. */
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
    .where((eb) => eb.and({ run_id: given.run_id, step_name: given.step_name, attempt: given.attempt })),
);

/** Records the end of a step's newest attempt. Returns the step's new row. */
export async function endStep(
  transaction: Tx,
  step: StepRow,
  ending: StepEnding,
  now: number,
): Promise<StepRow> {
  const ended = endedStep(step, ending, now);
  await updateStep(transaction, ended);
  await endAttempt(transaction, { ...attemptOf(ended, ending), finished_at: now });
  return ended;
}

/** Records an attempt that began and ended in this transaction. Returns the step's new row. */
export async function recordStep(
  transaction: Tx,
  step: StepRow,
  ending: StepEnding,
  now: number,
): Promise<StepRow> {
  const ended = endedStep(startedStep(step, now), ending, now);
  await updateStep(transaction, ended);
  await insertAttempt(transaction, { ...attemptOf(ended, ending), started_at: now, finished_at: now });
  return ended;
}

function endedStep(step: StepRow, ending: StepEnding, now: number): StepRow {
  const { status, failures, output, errorCode: error_code, errorMessage: error_message } = ending;
  const finished_at = status === 'pending' || status === 'retrying' ? null : now;
  return { ...step, status, failures, output, error_code, error_message, finished_at };
}

/** The row of a step's newest attempt, except its times. */
function attemptOf(step: StepRow, end: Pick<StepEnding, 'outcome' | 'errorCode' | 'errorMessage'>) {
  const { outcome, errorCode: error_code, errorMessage: error_message } = end;
  return {
    run_id: step.run_id,
    step_name: step.name,
    attempt: step.attempts,
    outcome,
    error_code,
    error_message,
  };
}

/**
 * The error code of a step that was skipped because an earlier required step failed. When a person retries the run, the
 * skipped step runs too.
 */
export const earlierStepFailed = 'earlier_step_failed';

/** Records that a step is skipped without an attempt. Returns the step's new row. */
export async function skipStep(
  transaction: Tx,
  step: StepRow,
  { code: error_code, message: error_message, now }: { code: string; message: string; now: number },
): Promise<StepRow> {
  const skipped: StepRow = { ...step, status: 'skipped', error_code, error_message, finished_at: now };
  await updateStep(transaction, skipped);
  return skipped;
}

/**
 * Writes a step's row without reading it again. While a run's lease is valid, only its holder changes the run's steps,
 * so the row that the caller read earlier is still current.
 */
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

/** Inserts an attempt, which may or may not have ended. */
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

/** One attempt of a step. */
export interface StepAttemptRecord {
  stepName: string;
  attempt: number;
  outcome: AttemptOutcome;
  errorCode: string | null;
  errorMessage: string | null;
  startedAt: number;
  finishedAt: number | null;
}

/** Reads every attempt of a run's steps, sorted by the order of the steps and then by the number of the attempt. */
export async function readStepAttempts(queries: Queries, runId: string): Promise<StepAttemptRecord[]> {
  return queries
    .selectFrom('step_attempts')
    .innerJoin('steps', (join) =>
      join
        .onRef('steps.run_id', '=', 'step_attempts.run_id')
        .onRef('steps.name', '=', 'step_attempts.step_name'),
    )
    .select(['step_name as stepName', 'attempt', 'outcome'])
    .select(['step_attempts.error_code as errorCode', 'step_attempts.error_message as errorMessage'])
    .select(['step_attempts.started_at as startedAt', 'step_attempts.finished_at as finishedAt'])
    .where('step_attempts.run_id', '=', runId)
    .orderBy('steps.position')
    .orderBy('step_attempts.attempt')
    .execute();
}

/**
 * Counts the lost attempts since the last attempt that ended. Looks only at the newest `most` attempts. An attempt is
 * lost if its process died before the attempt ended.
 */
export async function countLostAttempts(
  queries: Queries,
  step: { runId: string; name: string; most: number },
): Promise<number> {
  const newest = await queries
    .selectFrom('step_attempts')
    .select('outcome')
    .where('run_id', '=', step.runId)
    .where('step_name', '=', step.name)
    .orderBy('attempt', 'desc')
    .limit(step.most)
    .execute();
  const ended = newest.findIndex((attempt) => attempt.outcome !== 'started');
  return ended === -1 ? newest.length : ended;
}
