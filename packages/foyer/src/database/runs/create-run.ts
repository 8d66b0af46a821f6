import type { Queries } from '../database.ts';
import { newId } from '../new-id.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import { pendingStep } from './pending-step.ts';

/** What a run is made for. `stepNames` are those of the pipeline, in order. */
export interface NewRun {
  installationId: string;
  life: number;
  userId: string;
  stepNames: readonly string[];
  now: number;
}

const newestCreatedAt = prepareQuery((queries, given: Given<{ installationId: string }>) =>
  queries
    .selectFrom('runs')
    .select('created_at')
    .where('installation_id', '=', given.installationId)
    .orderBy('created_at', 'desc')
    .limit(1),
);

const insertRun = prepareQuery(
  (queries, given: Given<Omit<NewRun, 'stepNames'> & { id: string; createdAt: number }>) =>
    queries.insertInto('runs').values({
      id: given.id,
      installation_id: given.installationId,
      life: given.life,
      user_id: given.userId,
      status: 'queued',
      created_at: given.createdAt,
      started_at: null,
      finished_at: null,
      due_at: given.now,
      waiting_for: null,
      lease_owner: null,
      lease_until: null,
    }),
);

/** Of each pipeline: the names of its steps are part of its query. */
const insertsOfSteps = new WeakMap<readonly string[], ReturnType<typeof prepareInsertOfSteps>>();

function prepareInsertOfSteps(stepNames: readonly string[]) {
  return prepareQuery((queries, { runId }: Given<{ runId: string }>) =>
    queries
      .insertInto('steps')
      .values(
        stepNames.map((name, position) => ({ run_id: runId, name, position, attempts: 0, ...pendingStep })),
      ),
  );
}

/**
 * Queues a run with all its steps pending, and returns its id. Called in the transaction that stores the installation
 * (invariant 1): neither is ever there without the other.
 */
export async function createRun(transaction: Queries, run: NewRun): Promise<string> {
  const { stepNames, ...made } = run;
  const id = newId('run');
  const [newest] = (await newestCreatedAt(transaction, made)).rows;
  // Later than the one before it, also where that was made by a clock that is ahead of ours: it takes its place.
  const createdAt = Math.max(run.now, (newest?.created_at ?? 0) + 1);
  await insertRun(transaction, { ...made, id, createdAt });
  if (stepNames.length === 0) return id;
  const insertSteps = insertsOfSteps.get(stepNames) ?? prepareInsertOfSteps(stepNames);
  insertsOfSteps.set(stepNames, insertSteps);
  await insertSteps(transaction, { runId: id });
  return id;
}
