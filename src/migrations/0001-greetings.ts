import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Each installation has one row, deleted together with the installation. Never change a released migration. */
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
