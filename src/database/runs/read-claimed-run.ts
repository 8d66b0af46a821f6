import type { Queries } from '../database.ts';
import type { InstallationRow, RunRow } from '../records.ts';
import type { RunLease } from './hold-lease.ts';

/** A run and its installation, without tokens. */
export interface ClaimedRun {
  run: RunRow;
  installation: Omit<InstallationRow, 'sealed_bot'>;
}

/** Reads the run that a lease stands for, or undefined when the lease holds no longer. */
export async function readClaimedRun(queries: Queries, lease: RunLease): Promise<ClaimedRun | undefined> {
  const run = await queries
    .selectFrom('runs')
    .selectAll()
    .where('id', '=', lease.runId)
    .where('lease_owner', '=', lease.owner)
    .executeTakeFirst();
  if (!run) return undefined;
  const { sealed_bot: _, ...installation } = await queries
    .selectFrom('installations')
    .selectAll()
    .where('id', '=', run.installation_id)
    .executeTakeFirstOrThrow();
  return { run, installation };
}
