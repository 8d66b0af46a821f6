import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * How far the search for a message has come, if Foyer does not know whether Slack posted it: the search continues there
 * after a rate limit. See `records.ts`.
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
