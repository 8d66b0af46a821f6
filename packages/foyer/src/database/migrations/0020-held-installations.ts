import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * An index for the count of held installations on each overview page and in each metrics scrape: without it, the count
 * would read every broken installation.
 */
export const m0020HeldInstallations: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex('installations_held')
      .on('installations')
      .columns(['client_id', 'status', 'id'])
      .where(sql.ref('broken_reason'), '=', sql.lit('account_inactive'))
      .execute();
  },
};
