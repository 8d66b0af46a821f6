import type { Database, Tx } from '../database/database.ts';
import { appendHistory } from '../database/history.ts';
import { lockInstallation } from '../database/installations.ts';
import type { RunRow, StepRow } from '../database/records.ts';
import { earlierStepFailed } from '../database/run-steps.ts';
import { behindUninstallRun, queueRun } from '../database/runs.ts';

/**
 * What became of the wish to try a run again.
 * queued: what had not succeeded starts anew. woken: it waited, and goes on now. going: it is being worked on already.
 * rate-limited: Slack asked to wait, and it does. nothing-to-retry: every step succeeded, or had nothing to do.
 * not-installed: its installation is gone, or has begun a new life. unknown: there is no such run.
 */
export type RetryOutcome =
  | 'queued'
  | 'woken'
  | 'going'
  | 'rate-limited'
  | 'nothing-to-retry'
  | 'not-installed'
  | 'unknown';

/**
 * Tries a run again: what failed, stayed unconfirmed or was skipped since an earlier step failed becomes pending; what
 * succeeded stays. `userId` is who asked, where a person did. Wake the worker afterwards.
 * @throws DatabaseUnavailableError
 */
export async function retryRun(
  database: Database,
  runId: string,
  retry: { userId?: string | null; now: number },
): Promise<RetryOutcome> {
  return database.write(async (transaction) => {
    const ofRun = await transaction
      .selectFrom('runs')
      .select('installation_id as id')
      .where('id', '=', runId)
      .executeTakeFirst();
    const installation = ofRun && (await lockInstallation(transaction, ofRun));
    const run = await lockRun(transaction, runId);
    if (!run || !installation) return 'unknown';
    const isOfThisLife = installation.status !== 'uninstalled' && installation.life === run.life;
    if (run.pipeline === 'install' && !isOfThisLife) return 'not-installed';
    if (run.status === 'queued' || run.status === 'running') return 'going';
    if (run.waiting_for === behindUninstallRun) return 'going';
    const steps = await transaction.selectFrom('steps').selectAll().where('run_id', '=', runId).execute();
    return run.status === 'waiting'
      ? wakeRun(transaction, run, steps, retry.now)
      : repeatRun(transaction, run, steps, retry);
  });
}

/** No worker claims it meanwhile. */
async function lockRun(transaction: Tx, runId: string): Promise<RunRow | undefined> {
  return transaction.selectFrom('runs').selectAll().where('id', '=', runId).forUpdate().executeTakeFirst();
}

async function wakeRun(
  transaction: Tx,
  run: RunRow,
  steps: readonly StepRow[],
  now: number,
): Promise<RetryOutcome> {
  const limited = steps.some((step) => step.status === 'retrying' && step.error_code === 'rate_limited');
  if (limited && run.due_at !== null && run.due_at > now) {
    return 'rate-limited';
  }
  await queueRun(transaction, { id: run.id, now, stepsToRepeat: [] });
  return 'woken';
}

async function repeatRun(
  transaction: Tx,
  run: RunRow,
  steps: readonly StepRow[],
  retry: { userId?: string | null; now: number },
): Promise<RetryOutcome> {
  const stepsToRepeat = steps.filter(isUnfinishedBusiness).map((step) => step.name);
  if (stepsToRepeat.length === 0) return 'nothing-to-retry';
  await queueRun(transaction, { id: run.id, now: retry.now, stepsToRepeat });
  await appendHistory(transaction, {
    installationId: run.installation_id,
    at: retry.now,
    kind: 'run_retried',
    userId: retry.userId ?? null,
    detail: run.id,
  });
  return 'queued';
}

function isUnfinishedBusiness(step: StepRow): boolean {
  if (step.status === 'skipped') return step.error_code === earlierStepFailed;
  return step.status !== 'succeeded';
}
