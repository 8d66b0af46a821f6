import type { Queries } from '../database.ts';
import type { NoticeStatus, OperatorNoticeRow } from '../records.ts';

type NoticeKey = Pick<OperatorNoticeRow, 'cause_id' | 'channel'>;

/** Records how a sending ended. With `dueAt` it is tried again then; without, it is settled, or its run's step goes on. */
export async function settleNotice(
  transaction: Queries,
  key: NoticeKey,
  end: { status: NoticeStatus; errorCode: string | null; dueAt: number | null; now: number },
): Promise<void> {
  await transaction
    .updateTable('operator_notices')
    .set({ status: end.status, error_code: end.errorCode, due_at: end.dueAt, changed_at: end.now })
    .where('cause_id', '=', key.cause_id)
    .where('channel', '=', key.channel)
    .execute();
}

/** Forgets a notice that nobody is to be told of. */
export async function dropNotice(transaction: Queries, key: NoticeKey): Promise<void> {
  await transaction
    .deleteFrom('operator_notices')
    .where('cause_id', '=', key.cause_id)
    .where('channel', '=', key.channel)
    .execute();
}
