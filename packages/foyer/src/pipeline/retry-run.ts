import type { Database } from '../database/database.ts';
import { appendHistory } from '../database/history.ts';
import { lockInstallation } from '../database/installations.ts';
import { erasedUserId } from '../database/people/erase-person.ts';
import type { StepRow } from '../database/records.ts';
import { earlierStepFailed } from '../database/run-steps.ts';
import { isBehindRun, queueRun, repeatRun } from '../database/runs.ts';

/**
 * The outcome of a request to retry a run.
 * queued: `retryRun` has made steps pending, and they will run again. woken: the run was waiting, and continues now.
 * going: the run is already queued or running, or waits for another run to end. rate-limited: the time that Slack asked
 * Foyer to wait is not over. nothing-to-retry: every step succeeded, or was skipped for a reason that a retry does not
 * change, or the run's person has been erased. not-installed: the app is uninstalled, or was uninstalled and installed
 * again since the run. unknown: there is no such run.
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
 * Retries a run. If the run is waiting, it continues now. If it has ended, these steps become pending again: those that
 * failed, stayed unconfirmed or did not end, and those that were skipped because an earlier step failed. `userId` is
 * the person who asked for the retry, if any. Wake the worker afterward.
 * @throws DatabaseUnavailableError
 */
export async function retryRun(
  database: Database,
  runId: string,
  { userId = null, now }: { userId?: string | null; now: number },
): Promise<RetryOutcome> {
  return database.write(async (transaction) => {
    const ofRun = await transaction
      .selectFrom('runs')
      .select('installation_id as id')
      .where('id', '=', runId)
      .executeTakeFirst();
    const installation = ofRun && (await lockInstallation(transaction, ofRun));
    // Locks the run, so that no worker claims it during this transaction.
    const locked = transaction.selectFrom('runs').selectAll().where('id', '=', runId).forUpdate();
    const run = await locked.executeTakeFirst();
    if (!run || !installation) return 'unknown';
    const isOfThisLife = installation.status !== 'uninstalled' && installation.life === run.life;
    if (run.pipeline !== 'uninstall' && !isOfThisLife) return 'not-installed';
    if (run.pipeline !== 'uninstall' && run.user_id === erasedUserId) return 'nothing-to-retry';
    if (run.status === 'queued' || run.status === 'running') return 'going';
    if (isBehindRun(run)) return 'going';
    const steps = await transaction.selectFrom('steps').selectAll().where('run_id', '=', runId).execute();
    if (run.status === 'waiting') {
      const limited = steps.some((step) => step.status === 'retrying' && step.error_code === 'rate_limited');
      if (limited && run.due_at !== null && run.due_at > now) return 'rate-limited';
      await queueRun(transaction, { id: runId, now });
      return 'woken';
    }
    const stepsToRepeat = steps.filter(isUnfinishedBusiness).map((step) => step.name);
    if (stepsToRepeat.length === 0) return 'nothing-to-retry';
    const { installation_id: installationId, pipeline } = run;
    await repeatRun(transaction, { id: runId, installationId, pipeline, now, stepsToRepeat });
    const line = { installationId, at: now, userId };
    await appendHistory(transaction, { ...line, kind: 'run_retried', detail: runId });
    return 'queued';
  });
}

function isUnfinishedBusiness(step: StepRow): boolean {
  if (step.status === 'skipped') return step.error_code === earlierStepFailed;
  return step.status !== 'succeeded';
}
