import type { Database } from '../database.ts';
import type { NoticeChannel, OperatorNoticeRow } from '../records.ts';

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
    const claimed = await database.write((transaction) =>
      transaction
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
