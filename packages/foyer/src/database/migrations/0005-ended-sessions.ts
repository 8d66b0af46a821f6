import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The operators' sessions that were ended before their time, for every process to know; see `records.ts`. */
export const m0005EndedSessions: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('ended_sessions')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('lapses_at', 'bigint', (column) => column.notNull())
      .execute();
  },
};
