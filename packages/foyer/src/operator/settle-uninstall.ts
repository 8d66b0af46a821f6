import { setTimeout as sleep } from 'node:timers/promises';
import type { Queries } from '../database/database.ts';
import type { RunRecord } from '../database/install-record.ts';
import { listRuns } from '../database/runs.ts';

/**
 * Waits at most `waitMs` until the newest uninstall run of an installation succeeds or fails. A running server executes
 * that run. Returns undefined if the run succeeded, or if there is no such run. Otherwise returns the run: its steps
 * may still need what a purge would erase.
 */
export async function settleUninstall(
  queries: Queries,
  installationId: string,
  waitMs: number,
): Promise<RunRecord | undefined> {
  const until = performance.now() + waitMs;
  for (;;) {
    const [run] = await listRuns(queries, installationId, 1, ['uninstall']);
    if (!run || run.status === 'succeeded') return undefined;
    if (run.status === 'failed' || performance.now() >= until) return run;
    await sleep(100);
  }
}
