import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Creates two tables. `maintenance` stores whether installs are paused. `unknown_teams` lists teams that send events
 * although Foyer has no installation for them. See `records.ts`.
 */
export const m0018WaysBack: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('maintenance')
      .addColumn('client_id', 'text', (column) => column.primaryKey())
      .addColumn('began_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('unknown_teams')
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
      .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('unknown_teams_key', ['client_id', 'tenant'])
      .execute();
  },
};
