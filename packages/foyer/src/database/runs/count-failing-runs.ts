import type { Queries } from '../database.ts';
import { isNewestRun } from '../installations/list-installations-page.ts';

/** Counts the installations that are still there and whose newest run failed. */
export async function countFailingRuns(queries: Queries, clientId: string): Promise<number> {
  const { count } = await queries
    .selectFrom('runs')
    .innerJoin('installations', 'installations.id', 'runs.installation_id')
    .select(({ fn }) => fn.countAll<number | string | bigint>().as('count'))
    .where('runs.status', '=', 'failed')
    .where('installations.client_id', '=', clientId)
    .where('installations.status', '!=', 'uninstalled')
    .where(isNewestRun)
    .executeTakeFirstOrThrow();
  return Number(count);
}
