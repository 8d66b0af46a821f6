import { setTimeout as sleep } from 'node:timers/promises';
import type { Queries } from '../database/database.ts';
import type { RunRecord } from '../database/install-record.ts';
import { listRuns } from '../database/runs.ts';

/**
 * Waits until the newest uninstall run of an installation has ended, at most `waitMs`. Returns that run if
 * it failed or has not ended: its steps may still need what a purge would erase. Returns undefined if it succeeded, or
 * if there is none. A running server executes the run.
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
