import type { Queries } from '../database.ts';
import type { NoticeChannel, NoticeKind } from '../records.ts';

/** Every channel there is: a cause waits in each of them, and one that is not configured drops it when its time comes. */
export const noticeChannels: readonly NoticeChannel[] = ['webhook', 'mail'];

/** A cause that the operators are to be told of. */
export interface NewNotice {
  causeId: string;
  kind: Exclude<NoticeKind, 'installed'>;
  installationId: string;
  userId: string | null;
  detail: string | null;
  now: number;
  /** Later than `now` where another event may soon tell more of the same. */
  dueAt?: number;
}

/**
 * Queues what the operators are to be told, in the transaction that makes it true: it is told once, whatever happens
 * in between. A cause that is known already is not queued again.
 */
export async function queueNotice(transaction: Queries, notice: NewNotice): Promise<void> {
  await transaction
    .insertInto('operator_notices')
    .values(
      noticeChannels.map((channel) => ({
        cause_id: notice.causeId,
        channel,
        installation_id: notice.installationId,
        kind: notice.kind,
        user_id: notice.userId,
        detail: notice.detail,
        created_at: notice.now,
        status: 'pending' as const,
        attempts: 0,
        error_code: null,
        due_at: notice.dueAt ?? notice.now,
        changed_at: notice.now,
      })),
    )
    .onConflict((conflict) => conflict.columns(['cause_id', 'channel']).doNothing())
    .execute();
}
