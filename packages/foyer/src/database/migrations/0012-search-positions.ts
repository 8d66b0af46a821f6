import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Where the search for a message in doubt was, so that it continues after Slack's rate limit; see `records.ts`. */
export const m0012SearchPositions: Migration = {
  async up(db: Kysely<unknown>) {
    for (const table of ['welcomes', 'posts']) {
      await db.schema.alterTable(table).addColumn('search_before', 'text').execute();
      await db.schema
        .alterTable(table)
        .addColumn('search_calls', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    }
  },
};
