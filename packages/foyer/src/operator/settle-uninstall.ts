import { setTimeout as sleep } from 'node:timers/promises';
import type { Queries } from '../database/database.ts';
import type { RunRecord } from '../database/install-record.ts';
import { listRuns } from '../database/runs.ts';

/** An installation has few runs: the newest of the uninstall pipeline is among these. */
const newestRuns = 20;

/**
 * Waits until the newest uninstall run of an installation has ended, at most `waitMs`. Returns that run unless it
 * succeeded: its steps may still need what a purge would erase. A running server executes the run.
 */
export async function settleUninstall(
  queries: Queries,
  installationId: string,
  waitMs: number,
): Promise<RunRecord | undefined> {
  const until = performance.now() + waitMs;
  for (;;) {
    const runs = await listRuns(queries, installationId, newestRuns);
    const run = runs.find(({ pipeline }) => pipeline === 'uninstall');
    if (!run || run.status === 'succeeded') return undefined;
    if (run.status === 'failed' || performance.now() >= until) return run;
    await sleep(100);
  }
}
