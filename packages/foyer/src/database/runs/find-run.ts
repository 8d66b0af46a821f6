import type { Queries } from '../database.ts';
import type { RunStatus } from '../records.ts';

/** Finds a run by its id, if its installation is of this app: apps that share a database do not see each other. */
export async function findRun(
  queries: Queries,
  clientId: string,
  runId: string,
): Promise<{ id: string; status: RunStatus; installationId: string } | undefined> {
  return queries
    .selectFrom('runs')
    .innerJoin('installations', 'installations.id', 'runs.installation_id')
    .select(['runs.id', 'runs.status', 'installations.id as installationId'])
    .where('runs.id', '=', runId)
    .where('installations.client_id', '=', clientId)
    .executeTakeFirst();
}
