import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Runs of the uninstall pipeline, questions that steps ask, and the messages of `postOnce`; see `records.ts`. */
export const m0007Pipelines: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('runs')
      .addColumn('pipeline', 'text', (column) => column.notNull().defaultTo('install'))
      .execute();
    await db.schema
      .createTable('questions')
      .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id').onDelete('cascade'))
      .addColumn('step_name', 'text', (column) => column.notNull())
      .addColumn('question_id', 'text', (column) => column.notNull())
      .addColumn('question', 'text', (column) => column.notNull())
      .addColumn('asked_at', 'bigint', (column) => column.notNull())
      .addColumn('remind_at', 'bigint')
      .addColumn('expires_at', 'bigint')
      .addColumn('answer', 'text')
      .addColumn('answered_by', 'text')
      .addColumn('answered_at', 'bigint')
      .addPrimaryKeyConstraint('questions_key', ['run_id', 'step_name', 'question_id'])
      .execute();
    await db.schema
      .createTable('posts')
      .addColumn('installation_id', 'text', (column) =>
        column.notNull().references('installations.id').onDelete('cascade'),
      )
      .addColumn('life', 'integer', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('run_id', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('channel_id', 'text')
      .addColumn('message_ts', 'text')
      .addColumn('attempted_at', 'bigint', (column) => column.notNull())
      .addColumn('sent_at', 'bigint')
      .addPrimaryKeyConstraint('posts_key', ['installation_id', 'life', 'key'])
      .execute();
  },
};
