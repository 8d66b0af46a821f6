import type { Queries } from '../database.ts';

/** How many of a step's newest attempts in a row never ended, because their process died; `most` at most. */
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
