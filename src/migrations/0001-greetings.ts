import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** One row for each installation, deleted together with it. Never change a migration that was released. */
export const m0001Greetings: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('greetings')
      .addColumn('installation_id', 'text', (column) =>
        column.primaryKey().references('installations.id').onDelete('cascade'),
      )
      .addColumn('count', 'integer', (column) => column.notNull())
      .execute();
  },
};
