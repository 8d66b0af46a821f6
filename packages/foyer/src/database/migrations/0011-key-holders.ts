import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Which running process encrypts with which key, so that Foyer can refuse to forget a key in use; see `records.ts`. */
export const m0011KeyHolders: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('key_holders')
      .addColumn('process', 'text', (column) => column.primaryKey())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('seen_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.alterTable('encryption_keys').addColumn('retired_at', 'bigint').execute();
  },
};
