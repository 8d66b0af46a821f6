import type { Queries } from '../database.ts';
import type { NoticeChannel, NoticeStatus } from '../records.ts';

/**
 * Records that a run's step is about to tell the operators through a channel, and returns how that channel stood
 * before: `pending` where it is to be sent now. What was sent stays sent for ever. What a step failed to send, or could
 * not confirm, is sent again only when somebody had the step repeated since.
 */
export async function beginRunNotice(
  transaction: Queries,
  notice: {
    runId: string;
    stepName: string;
    channel: NoticeChannel;
    installationId: string;
    userId: string;
    now: number;
  },
): Promise<NoticeStatus> {
  const { runId, stepName, channel, now } = notice;
  const step = await transaction
    .selectFrom('steps')
    .select('started_at')
    .where('run_id', '=', runId)
    .where('name', '=', stepName)
    // Two workers, of whom one has lost its lease and does not know it yet, begin one after the other.
    .forUpdate()
    .executeTakeFirst();
  const known = await transaction
    .selectFrom('operator_notices')
    .selectAll()
    .where('cause_id', '=', runId)
    .where('channel', '=', channel)
    .executeTakeFirst();
  // A step that is repeated at somebody's wish starts anew; its own further attempts keep the first one's start.
  const isOfEarlierWish = known !== undefined && known.changed_at < (step?.started_at ?? 0);
  const before = known?.status ?? 'pending';
  const stood = before !== 'sent' && isOfEarlierWish ? 'pending' : before;
  if (stood === 'sent' || stood === 'unconfirmed' || stood === 'failed') return stood;
  await transaction
    .insertInto('operator_notices')
    .values({
      cause_id: runId,
      channel,
      installation_id: notice.installationId,
      kind: 'installed',
      user_id: notice.userId,
      detail: null,
      created_at: now,
      status: 'sending',
      attempts: 1,
      error_code: null,
      due_at: null,
      changed_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['cause_id', 'channel']).doUpdateSet((eb) => ({
        status: 'sending',
        attempts: eb('operator_notices.attempts', '+', 1),
        error_code: null,
        changed_at: now,
      })),
    )
    .execute();
  return stood;
}
