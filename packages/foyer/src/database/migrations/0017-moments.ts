import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Adds the column `moment` to `runs`: what happened after the install and started the run. Also adds indexes, so that
 * many such runs do not slow down installs. See `records.ts`.
 */
export const m0017Moments: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('runs').addColumn('moment', 'text').execute();
    // With this index, the database finds a team's install run without reading its `opened` runs. A team of ten
    // thousand members may have ten thousand of those, most of them newer than the install run.
    await db.schema
      .createIndex('runs_by_pipeline')
      .on('runs')
      .columns(['installation_id', 'pipeline', 'created_at', 'id'])
      .execute();
    await db.schema
      .createIndex('runs_opened')
      .on('runs')
      .columns(['installation_id', 'user_id', 'life'])
      .where(sql.ref('pipeline'), '=', sql.lit('opened'))
      .execute();
    await db.schema
      .createIndex('runs_waiting')
      .on('runs')
      .columns(['installation_id', 'waiting_for'])
      .where(sql.ref('waiting_for'), 'is not', null)
      .execute();
  },
};
