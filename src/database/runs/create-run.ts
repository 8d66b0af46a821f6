import type { Queries } from '../database.ts';
import { newId } from '../new-id.ts';

/** What a run is made for. `stepNames` are those of the pipeline, in order. */
export interface NewRun {
  installationId: string;
  life: number;
  userId: string;
  stepNames: readonly string[];
  now: number;
}

/**
 * Queues a run with all its steps pending, and returns its id. Called in the transaction that stores the installation
 * (invariant 1): neither is ever there without the other.
 */
export async function createRun(transaction: Queries, run: NewRun): Promise<string> {
  const id = newId('run');
  const newest = await transaction
    .selectFrom('runs')
    .select('created_at')
    .where('installation_id', '=', run.installationId)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  await transaction
    .insertInto('runs')
    .values({
      id,
      installation_id: run.installationId,
      life: run.life,
      user_id: run.userId,
      status: 'queued',
      // Later than the one before it, also where that was made by a clock that is ahead of ours: it takes its place.
      created_at: Math.max(run.now, (newest?.created_at ?? 0) + 1),
      started_at: null,
      finished_at: null,
      due_at: run.now,
      waiting_for: null,
      lease_owner: null,
      lease_until: null,
    })
    .execute();
  const pending = { status: 'pending' as const, attempts: 0, failures: 0, output: null };
  const steps = run.stepNames.map((name, position) => ({ run_id: id, name, position, ...pending }));
  if (steps.length > 0) await transaction.insertInto('steps').values(steps.map(blankStep)).execute();
  return id;
}

function blankStep<T extends object>(step: T) {
  return { ...step, error_code: null, error_message: null, started_at: null, finished_at: null };
}
