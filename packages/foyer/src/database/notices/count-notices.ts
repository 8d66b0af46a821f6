import type { Queries } from '../database.ts';
import type { NoticeStatus } from '../records.ts';

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
