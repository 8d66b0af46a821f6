import { sql } from 'kysely';
import type { Database } from '../../src/database/database.ts';

/** Postgres only: resolves once a transaction waits for a lock that another transaction holds. */
export async function isWaitedFor({ queries }: Database): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ waits: number }>`
      select count(*)::int as waits from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(queries);
    if ((rows[0]?.waits ?? 0) > 0) return;
  }
}
