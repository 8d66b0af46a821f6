import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** State that several processes on one database share; `records.ts` says what each column means. */
export const m0004SeveralProcesses: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('chores')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('begun_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.alterTable('home_views').addColumn('sending_hash', 'text').execute();
  },
};
