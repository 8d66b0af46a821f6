import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The sessions of members who signed in with Slack, and of operators, so that Foyer can list each session and end it on
 * every machine. Erasing an installation also deletes its members' sessions. See `records.ts`.
 */
export const m0013Sessions: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('sessions')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('installation_id', 'text', (column) =>
        column.references('installations.id').onDelete('cascade'),
      )
      .addColumn('life', 'integer')
      .addColumn('registered_team_id', 'text')
      .addColumn('team_id', 'text')
      .addColumn('enterprise_id', 'text')
      .addColumn('user_id', 'text')
      .addColumn('slack_signed_at', 'bigint')
      .addColumn('began_at', 'bigint', (column) => column.notNull())
      .addColumn('seen_at', 'bigint', (column) => column.notNull())
      .addColumn('checked_at', 'bigint')
      .addColumn('browser', 'text')
      .addColumn('address', 'text')
      .execute();
    await db.schema
      .createIndex('sessions_by_person')
      .on('sessions')
      .columns(['client_id', 'registered_team_id', 'user_id'])
      .execute();
    await db.schema
      .createIndex('sessions_by_installation')
      .on('sessions')
      .column('installation_id')
      .execute();
    await db.schema
      .createIndex('sessions_by_kind')
      .on('sessions')
      .columns(['client_id', 'kind', 'seen_at'])
      .execute();
    await db.schema.createIndex('ended_sessions_by_end').on('ended_sessions').column('lapses_at').execute();
  },
};
