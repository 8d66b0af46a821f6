import type { Queries } from '../database.ts';
import type { AttemptOutcome } from '../records.ts';

/** One try of a step. */
export interface StepAttemptRecord {
  stepName: string;
  attempt: number;
  outcome: AttemptOutcome;
  errorCode: string | null;
  errorMessage: string | null;
  startedAt: number;
  finishedAt: number | null;
}

/** Reads every attempt of a run's steps, in the order of the steps and then of the tries. */
export async function readStepAttempts(queries: Queries, runId: string): Promise<StepAttemptRecord[]> {
  const rows = await queries
    .selectFrom('step_attempts')
    .innerJoin('steps', (join) =>
      join
        .onRef('steps.run_id', '=', 'step_attempts.run_id')
        .onRef('steps.name', '=', 'step_attempts.step_name'),
    )
    .selectAll('step_attempts')
    .where('step_attempts.run_id', '=', runId)
    .orderBy('steps.position')
    .orderBy('step_attempts.attempt')
    .execute();
  return rows.map((row) => ({
    stepName: row.step_name,
    attempt: row.attempt,
    outcome: row.outcome,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }));
}
