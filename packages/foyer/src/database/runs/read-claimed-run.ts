import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { InstallationRow, RunRow, StepRow } from '../records.ts';
import type { RunLease } from './hold-lease.ts';

/** A run, its installation without tokens, and its steps in order. */
export interface ClaimedRun {
  run: RunRow;
  installation: Omit<InstallationRow, 'sealed_bot'>;
  steps: readonly StepRow[];
}

const lockHeldRun = prepareQuery((queries, given: Given<{ runId: string; owner: string }>) =>
  queries
    .selectFrom('runs')
    .selectAll()
    .where('id', '=', given.runId)
    .where('lease_owner', '=', given.owner)
    .where('status', '=', 'running')
    .forNoKeyUpdate(),
);

const selectInstallation = prepareQuery((queries, given: Given<{ id: string }>) =>
  queries.selectFrom('installations').selectAll().where('id', '=', given.id),
);

const selectSteps = prepareQuery((queries, given: Given<{ runId: string }>) =>
  queries.selectFrom('steps').selectAll().where('run_id', '=', given.runId).orderBy('position'),
);

/**
 * Reads the run that a lease stands for, or undefined when the lease holds no longer. As long as it holds, nobody but
 * its owner changes the run or its steps. It locks the run's row, as `holdLease` does.
 */
export async function readClaimedRun(transaction: Queries, lease: RunLease): Promise<ClaimedRun | undefined> {
  const [run] = (await lockHeldRun(transaction, lease)).rows;
  if (!run) return undefined;
  const [found] = (await selectInstallation(transaction, { id: run.installation_id })).rows;
  if (!found) return undefined;
  const { sealed_bot: _, ...installation } = found;
  const { rows: steps } = await selectSteps(transaction, { runId: run.id });
  return { run, installation, steps };
}
