import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Notices to the operators, one per cause and channel; `records.ts` says what each column means. */
export const m0003OperatorNotices: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('operator_notices')
      .addColumn('cause_id', 'text', (column) => column.notNull())
      .addColumn('channel', 'text', (column) => column.notNull())
      .addColumn('installation_id', 'text', (column) =>
        column.notNull().references('installations.id').onDelete('cascade'),
      )
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text')
      .addColumn('detail', 'text')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('error_code', 'text')
      .addColumn('due_at', 'bigint')
      .addColumn('changed_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('operator_notices_pk', ['cause_id', 'channel'])
      .execute();
    await db.schema
      .createIndex('operator_notices_due')
      .on('operator_notices')
      .columns(['channel', 'due_at'])
      .where(sql.ref('due_at'), 'is not', null)
      .execute();
    await db.schema
      .createIndex('operator_notices_by_installation')
      .on('operator_notices')
      .column('installation_id')
      .execute();
  },
};
