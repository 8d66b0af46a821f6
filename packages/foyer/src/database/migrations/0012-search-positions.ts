import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The position of the search for a message that Slack may have posted. After a rate limit, the search continues there.
 * See `records.ts`.
 */
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
