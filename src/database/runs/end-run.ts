import type { Queries } from '../database.ts';
import { appendHistory } from '../installations/append-history.ts';
import { queueNotice } from '../notices/queue-notice.ts';

/**
 * Ends a run, with a line of history: failed when any of its steps failed, else succeeded. The operators are to be told
 * of a failure. The caller holds the lease, and has ended every step. Returns how it ended.
 */
export async function endRun(
  transaction: Queries,
  run: { id: string; installationId: string; userId: string; now: number },
): Promise<'succeeded' | 'failed'> {
  const failed = await transaction
    .selectFrom('steps')
    .select(['name', 'error_code'])
    .where('run_id', '=', run.id)
    .where('status', '=', 'failed')
    .orderBy('position')
    .execute();
  const status = failed.length > 0 ? 'failed' : 'succeeded';
  await transaction
    .updateTable('runs')
    .set({
      status,
      finished_at: run.now,
      due_at: null,
      waiting_for: null,
      lease_owner: null,
      lease_until: null,
    })
    .where('id', '=', run.id)
    .execute();
  const reasons = failed.map((step) => `${step.name} (${step.error_code ?? 'unknown'})`).join(', ');
  await appendHistory(transaction, {
    installationId: run.installationId,
    at: run.now,
    kind: status === 'failed' ? 'run_failed' : 'run_succeeded',
    userId: run.userId,
    detail: reasons === '' ? run.id : `${run.id}: ${reasons}`,
  });
  if (status === 'failed') {
    const { installationId, userId, now } = run;
    const notice = { installationId, userId, detail: reasons, now };
    await queueNotice(transaction, { ...notice, causeId: `${run.id}/failed`, kind: 'run_failed' });
  }
  return status;
}
