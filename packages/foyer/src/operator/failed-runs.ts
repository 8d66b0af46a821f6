import type { Queries } from '../database/database.ts';
import { erasedUserId } from '../database/people/erase-person.ts';
import type { InstallationStatus, Pipeline, RunStatus } from '../database/records.ts';
import { momentKinds } from '../database/runs.ts';
import { isNewestRun } from './installation-lists.ts';

/** Which failed runs to find. A filter that is not set matches all runs. */
export interface FailedRunSearch {
  clientId: string;
  /** Only runs in which this step failed. */
  step?: string;
  /** Only runs that ended at this time or later (milliseconds since 1970). */
  since?: number;
}

/** A run with a failed step, and the installation to which the run belongs. */
export interface FailedRun {
  id: string;
  pipeline: Pipeline;
  teamId: string | null;
  enterpriseId: string | null;
  installation: InstallationStatus;
  failed: { step: string; error: string | null }[];
}

const pageRows = 100;

/**
 * Reads, in pages and newest first, the failed runs that still matter:
 * - If the app is not uninstalled: the newest install run, and the runs of the pipelines in `momentKinds` that belong
 *   to the installation's current life.
 * - If the app is uninstalled: the newest uninstall run. Earlier uninstall runs are excluded, because a retry would
 *   erase what a later install has created.
 *
 * Excludes runs of erased people, because a retry does not repeat those runs. Their uninstall runs are included: a
 * retry does repeat an uninstall run.
 *
 * With `step`, reads the runs in which that step failed. After the failed runs come runs that succeeded: a run succeeds
 * even if a step that only operators see fails.
 */
export async function* readFailedRuns(
  queries: Queries,
  search: FailedRunSearch,
): AsyncGenerator<FailedRun[]> {
  const statuses: RunStatus[] = search.step === undefined ? ['failed'] : ['failed', 'succeeded'];
  for (const status of statuses) {
    let after: { created_at: number; id: string } | undefined;
    for (;;) {
      const rows = await readPage(queries, { ...search, status, after });
      if (rows.length > 0) yield withSteps(queries, rows);
      if (rows.length < pageRows) break;
      after = rows.at(-1);
    }
  }
}

type FoundRun = Awaited<ReturnType<typeof readPage>>[number];

async function readPage(
  queries: Queries,
  search: FailedRunSearch & { status: RunStatus; after?: { created_at: number; id: string } },
) {
  const { clientId, status, step, since, after } = search;
  let query = queries
    .selectFrom('runs')
    .innerJoin('installations', 'installations.id', 'runs.installation_id')
    .select(['runs.id', 'runs.pipeline', 'runs.created_at', 'team_id as teamId'])
    .select(['enterprise_id as enterpriseId', 'installations.status as installation'])
    .where('runs.status', '=', status)
    .where('installations.client_id', '=', clientId)
    .where((eb) => eb.or([eb('runs.pipeline', '=', 'uninstall'), eb('runs.user_id', '!=', erasedUserId)]))
    .where((eb) =>
      eb.or([
        eb.and([eb('installations.status', '!=', 'uninstalled'), isNewestRun(eb)]),
        eb.and([eb('runs.pipeline', '=', 'uninstall'), eb('runs.life', '=', eb.ref('installations.life'))]),
        eb.and([
          eb('installations.status', '!=', 'uninstalled'),
          eb('runs.pipeline', 'in', momentKinds),
          eb('runs.life', '=', eb.ref('installations.life')),
        ]),
      ]),
    );
  if (step !== undefined) {
    query = query.where((eb) =>
      eb.exists(
        eb
          .selectFrom('steps')
          .select('steps.name')
          .whereRef('steps.run_id', '=', 'runs.id')
          .where('steps.name', '=', step)
          .where('steps.status', '=', 'failed'),
      ),
    );
  }
  if (since !== undefined) query = query.where('runs.finished_at', '>=', since);
  if (after) {
    const { created_at, id } = after;
    query = query.where((eb) => eb(eb.refTuple('runs.created_at', 'runs.id'), '<', eb.tuple(created_at, id)));
  }
  return query.orderBy('runs.created_at', 'desc').orderBy('runs.id', 'desc').limit(pageRows).execute();
}

async function withSteps(queries: Queries, rows: readonly FoundRun[]): Promise<FailedRun[]> {
  const ids = rows.map(({ id }) => id);
  const steps = await queries
    .selectFrom('steps')
    .select(['run_id', 'name as step', 'error_code as error'])
    .where('run_id', 'in', ids)
    .where('status', '=', 'failed')
    .orderBy('position')
    .execute();
  const byRun = Map.groupBy(steps, (step) => step.run_id);
  return rows.map(({ created_at: _position, ...run }) => ({
    ...run,
    failed: (byRun.get(run.id) ?? []).map(({ step, error }) => ({ step, error })),
  }));
}
