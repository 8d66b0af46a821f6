import type { Queries } from '../database.ts';
import { type RunRecord, readRun } from '../installations/install-record.ts';

/** Reads an installation's runs with their steps, newest first. */
export async function listRuns(
  queries: Queries,
  installationId: string,
  limit: number,
): Promise<RunRecord[]> {
  const rows = await queries
    .selectFrom('runs')
    .select('id')
    .where('installation_id', '=', installationId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  const runs = await Promise.all(rows.map((row) => readRun(queries, row.id)));
  return runs.filter((run) => run !== undefined);
}
