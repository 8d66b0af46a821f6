import type { Queries } from '../database.ts';
import { appendHistory } from '../installations/append-history.ts';

/**
 * Cancels every unfinished run of an installation: an uninstall ends it, a reinstall takes its place. Its unfinished
 * steps are skipped; a worker in the midst of one finds its lease gone and stores nothing more. With `userId` only that
 * person's runs. Returns the ids of what was cancelled.
 */
export async function cancelRuns(
  transaction: Queries,
  cancel: { installationId: string; userId?: string; reason: string; now: number },
): Promise<string[]> {
  const cancelled = await transaction
    .updateTable('runs')
    .set({
      status: 'cancelled',
      finished_at: cancel.now,
      due_at: null,
      waiting_for: null,
      lease_owner: null,
      lease_until: null,
    })
    .where('installation_id', '=', cancel.installationId)
    .where('status', 'in', ['queued', 'running', 'waiting'])
    .$if(cancel.userId !== undefined, (query) => query.where('user_id', '=', cancel.userId ?? ''))
    .returning(['id', 'user_id'])
    .execute();
  if (cancelled.length === 0) return [];
  const runIds = cancelled.map((run) => run.id);
  await transaction
    .updateTable('steps')
    .set({
      status: 'skipped',
      error_code: 'run_cancelled',
      error_message: cancel.reason,
      finished_at: cancel.now,
    })
    .where('run_id', 'in', runIds)
    .where('status', 'in', ['pending', 'running', 'retrying'])
    .execute();
  for (const run of cancelled) {
    await appendHistory(transaction, {
      installationId: cancel.installationId,
      at: cancel.now,
      kind: 'run_cancelled',
      userId: run.user_id,
      detail: `${run.id}: ${cancel.reason}`,
    });
  }
  return runIds;
}
