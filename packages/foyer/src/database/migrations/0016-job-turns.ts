import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Adds columns to `chores` for the newest turn of each job: its times, its machine and its outcome. In the rows of
 * Foyer's own chores, these columns are null. See `records.ts`.
 */
export const m0016JobTurns: Migration = {
  async up(db: Kysely<unknown>) {
    for (const column of ['started_at', 'leased_until', 'ended_at', 'took_ms'] as const)
      await db.schema.alterTable('chores').addColumn(column, 'bigint').execute();
    for (const column of ['machine', 'outcome', 'error_code'] as const)
      await db.schema.alterTable('chores').addColumn(column, 'text').execute();
  },
};
