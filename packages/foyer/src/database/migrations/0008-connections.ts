import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Which of the host's accounts an installation belongs to, and which links and claims were used; see `records.ts`. */
export const m0008Connections: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('connections')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('installation_id', 'text', (column) =>
        column.notNull().references('installations.id').onDelete('cascade'),
      )
      .addColumn('org', 'text', (column) => column.notNull())
      .addColumn('subject', 'text')
      .addColumn('label', 'text')
      .addColumn('data', 'text')
      .addColumn('connected_at', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('connections_of_installation', ['installation_id', 'org'])
      .execute();
    await db.schema.createIndex('connections_by_org').on('connections').column('org').execute();
    await db.schema
      .createTable('used_links')
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('jti', 'text', (column) => column.notNull())
      .addColumn('installation_id', 'text')
      .addColumn('run_id', 'text')
      .addColumn('org', 'text')
      .addColumn('progress_hash', 'text')
      .addColumn('used_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('used_links_key', ['client_id', 'jti'])
      .execute();
    await db.schema
      .createIndex('used_links_by_time')
      .on('used_links')
      .columns(['client_id', 'used_at'])
      .execute();
  },
};
