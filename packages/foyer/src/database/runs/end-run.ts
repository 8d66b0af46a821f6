import type { Queries } from '../database.ts';
import { appendHistory } from '../installations/append-history.ts';
import { queueNotice } from '../notices/queue-notice.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { StepRow } from '../records.ts';

const updateRun = prepareQuery((queries, given: Given<{ id: string; status: RunEnd; now: number }>) =>
  queries
    .updateTable('runs')
    .set({
      status: given.status,
      finished_at: given.now,
      due_at: null,
      waiting_for: null,
      lease_owner: null,
      lease_until: null,
    })
    .where('id', '=', given.id),
);

type RunEnd = 'succeeded' | 'failed';

/**
 * Ends a run, with a line of history: failed when any of its steps failed, else succeeded. The operators are to be told
 * of a failure. The caller holds the lease, and has ended every step. Returns how it ended.
 */
export async function endRun(
  transaction: Queries,
  run: { id: string; installationId: string; userId: string; steps: readonly StepRow[]; now: number },
): Promise<RunEnd> {
  const { id, installationId, userId, now } = run;
  const failed = run.steps.filter((step) => step.status === 'failed');
  const status = failed.length > 0 ? 'failed' : 'succeeded';
  await updateRun(transaction, { id, status, now });
  const reasons = failed.map((step) => `${step.name} (${step.error_code ?? 'unknown'})`).join(', ');
  await appendHistory(transaction, {
    installationId,
    at: now,
    kind: status === 'failed' ? 'run_failed' : 'run_succeeded',
    userId,
    detail: reasons === '' ? id : `${id}: ${reasons}`,
  });
  if (status === 'failed') {
    const notice = { installationId, userId, detail: reasons, now };
    await queueNotice(transaction, { ...notice, causeId: `${id}/failed`, kind: 'run_failed' });
  }
  return status;
}
