import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Creates a table in which Foyer stores how many rows of some kinds there are. Counting these rows each time a page is
 * shown would take too long. Also adds indexes for the operator pages. See `records.ts`.
 */
export const m0019KeptCounts: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('kept_counts')
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('counted_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('kept_counts_key', ['client_id', 'name'])
      .execute();
    await db.schema
      .createIndex('welcomes_unconfirmed')
      .on('welcomes')
      .columns(['installation_id', 'life', 'attempted_at'])
      .where(sql.ref('status'), '=', sql.lit('unconfirmed'))
      .execute();
    // Includes the team: without it, SQLite preferred an index that begins with the app, and read all of the app's
    // people.
    await db.schema.dropIndex('memberships_by_user').execute();
    await db.schema
      .createIndex('memberships_by_user')
      .on('memberships')
      .columns(['client_id', 'user_id', 'team_id'])
      .execute();
  },
};
