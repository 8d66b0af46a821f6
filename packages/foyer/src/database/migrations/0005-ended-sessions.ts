import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Operator sessions that were ended before they expired, so that every process refuses them; see `records.ts`. */
export const m0005EndedSessions: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('ended_sessions')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('lapses_at', 'bigint', (column) => column.notNull())
      .execute();
  },
};
