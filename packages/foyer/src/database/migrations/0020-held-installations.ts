import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** An index of the held installations among many broken ones: each view of the overview and each scrape counts them. */
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
