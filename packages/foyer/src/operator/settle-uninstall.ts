import { setTimeout as sleep } from 'node:timers/promises';
import type { Queries } from '../database/database.ts';
import { type RunRecord, readRun } from '../database/install-record.ts';

/**
 * Waits at most `waitMs` until the newest uninstall run of an installation succeeds or fails. A running server executes
 * that run. Returns undefined if the run succeeded, or if there is no such run: the caller may then purge the
 * installation. Otherwise returns the run. The caller must not purge yet, because the steps of the run may still need
 * what a purge erases. Ignores a run that failed before the latest install: a retry of that run would undo what the
 * install created.
 */
export async function settleUninstall(
  queries: Queries,
  installationId: string,
  waitMs: number,
): Promise<RunRecord | undefined> {
  const until = performance.now() + waitMs;
  for (;;) {
    const newest = await queries
      .selectFrom('runs')
      .innerJoin('installations', 'installations.id', 'runs.installation_id')
      .select(['runs.id', 'runs.status'])
      .where('installations.id', '=', installationId)
      .where('runs.pipeline', '=', 'uninstall')
      .where((eb) =>
        eb.or([eb('runs.life', '=', eb.ref('installations.life')), eb('runs.finished_at', 'is', null)]),
      )
      .orderBy('runs.created_at', 'desc')
      .orderBy('runs.id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (!newest || newest.status === 'succeeded') return undefined;
    if (newest.status === 'failed' || performance.now() >= until) return readRun(queries, newest.id);
    await sleep(100);
  }
}
