import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What Slack has delivered to the processes that share a database; see `records.ts`. */
export const m0015SeenDeliveries: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('seen_deliveries')
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('seen_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('seen_deliveries_key', ['client_id', 'key'])
      .execute();
    await db.schema
      .createIndex('seen_deliveries_by_time')
      .on('seen_deliveries')
      .columns(['client_id', 'seen_at'])
      .execute();
  },
};
