import { sql } from 'kysely';
import type { Queries } from '../database.ts';

const dayMs = 86_400_000;

/** What the passes through OAuth of one day (UTC) came to. */
export interface RequestsOfDay {
  /** The day's first millisecond. */
  day: number;
  installed: number;
  failed: number;
}

/** Counts installs and failed install requests of the last `days` days, the one of `now` among them, oldest first. */
export async function countRequestsByDay(
  queries: Queries,
  count: { clientId: string; days: number; now: number },
): Promise<RequestsOfDay[]> {
  const today = Math.floor(count.now / dayMs);
  const first = today - count.days + 1;
  // A whole number written out: a bound one could arrive as a fraction, and the quotient with it.
  const dayNumber = sql<number | string>`started_at / ${sql.lit(dayMs)}`;
  const rows = await queries
    .selectFrom('install_requests')
    .select(({ fn }) => [dayNumber.as('day'), 'outcome', fn.countAll<number | string | bigint>().as('count')])
    .where('client_id', '=', count.clientId)
    .where('outcome', 'in', ['installed', 'failed'])
    .where('started_at', '>=', first * dayMs)
    .groupBy([dayNumber, 'outcome'])
    .execute();
  const days = Array.from({ length: count.days }, (_, index) => ({
    day: (first + index) * dayMs,
    installed: 0,
    failed: 0,
  }));
  for (const row of rows) {
    const day = days[Number(row.day) - first];
    if (day && (row.outcome === 'installed' || row.outcome === 'failed'))
      day[row.outcome] = Number(row.count);
  }
  return days;
}
