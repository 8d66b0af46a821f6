import type { Database, Queries, Tx } from './database.ts';
import type { NoticeChannel, NoticeKind, NoticeStatus, OperatorNoticeRow } from './records.ts';

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
export async function queueNotice(tx: Tx, notice: NewNotice): Promise<void> {
  await tx
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

/**
 * Records that a run's step is about to tell the operators through a channel, and returns how that channel stood
 * before: `pending` where it is to be sent now. What was sent stays sent for ever. What a step failed to send, or could
 * not confirm, is sent again only when somebody had the step repeated since.
 */
export async function beginRunNotice(
  tx: Tx,
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
  const step = await tx
    .selectFrom('steps')
    .select('started_at')
    .where('run_id', '=', runId)
    .where('name', '=', stepName)
    // Two workers, of whom one has lost its lease and does not know it yet, begin one after the other.
    .forUpdate()
    .executeTakeFirst();
  const known = await tx
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
  await tx
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

/**
 * Claims the notice of a channel that is due the longest, for one sender: its row is returned as it stood, and stands at `sending`
 * until `leaseUntil`, when it falls due again. Undefined where nothing is due. Looks before it writes.
 * @throws DatabaseUnavailableError
 */
export async function claimDueNotice(
  database: Database,
  claim: { channel: NoticeChannel; now: number; leaseUntil: number },
): Promise<OperatorNoticeRow | undefined> {
  for (;;) {
    const row = await database.queries
      .selectFrom('operator_notices')
      .selectAll()
      .where('channel', '=', claim.channel)
      .where('due_at', '<=', claim.now)
      .orderBy('due_at')
      .orderBy('cause_id')
      .limit(1)
      .executeTakeFirst();
    if (!row) return undefined;
    const claimed = await database.write((tx) =>
      tx
        .updateTable('operator_notices')
        .set({
          status: 'sending',
          attempts: row.attempts + 1,
          due_at: claim.leaseUntil,
          changed_at: claim.now,
        })
        .where('cause_id', '=', row.cause_id)
        .where('channel', '=', row.channel)
        // Only one sender can move it on from the `due_at` that both have seen.
        .where('due_at', '=', row.due_at)
        .returning('cause_id')
        .executeTakeFirst(),
    );
    if (claimed) return row;
  }
}

type NoticeKey = Pick<OperatorNoticeRow, 'cause_id' | 'channel'>;

/** Records how a sending ended. With `dueAt` it is tried again then; without, it is settled, or its run's step goes on. */
export async function settleNotice(
  tx: Tx,
  key: NoticeKey,
  end: { status: NoticeStatus; errorCode: string | null; dueAt: number | null; now: number },
): Promise<void> {
  await tx
    .updateTable('operator_notices')
    .set({ status: end.status, error_code: end.errorCode, due_at: end.dueAt, changed_at: end.now })
    .where('cause_id', '=', key.cause_id)
    .where('channel', '=', key.channel)
    .execute();
}

/** Forgets a notice that nobody is to be told of. */
export async function dropNotice(tx: Tx, key: NoticeKey): Promise<void> {
  await tx
    .deleteFrom('operator_notices')
    .where('cause_id', '=', key.cause_id)
    .where('channel', '=', key.channel)
    .execute();
}

/** Counts what became of the messages to the operators since a time, by how they stand. */
export async function countNotices(queries: Queries, since: number): Promise<Record<NoticeStatus, number>> {
  const rows = await queries
    .selectFrom('operator_notices')
    .select(({ fn }) => ['status', fn.countAll<number | string | bigint>().as('count')])
    .where('created_at', '>=', since)
    .groupBy('status')
    .execute();
  const counts = { pending: 0, sending: 0, sent: 0, unconfirmed: 0, failed: 0 };
  for (const row of rows) counts[row.status] = Number(row.count);
  return counts;
}
