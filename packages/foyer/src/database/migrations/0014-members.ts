import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Adds to each member whether they are a guest, when they were last seen, and when their account was deactivated. Also
 * adds the people of other workspaces, whom an installation meets in Slack Connect channels. See `records.ts`.
 *
 * Before this migration, Foyer stored the role of an unregistered person only in `memberships`. This migration adds the
 * missing rows to `users`.
 *
 * Why people of other workspaces have their own table: their user ids are unique only together with their own team's
 * id. As rows of `memberships`, they could be mistaken for this team's people.
 */
export const m0014Members: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('memberships')
      .addColumn('is_guest', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema.alterTable('memberships').addColumn('last_seen_at', 'bigint').execute();
    await db.schema.alterTable('memberships').addColumn('deactivated_at', 'bigint').execute();
    await sql`
      insert into users (client_id, team_id, user_id, first_seen_at, updated_at)
      select m.client_id, m.team_id, m.user_id, m.first_seen_at, 0
      from memberships m
      left join users u on u.client_id = m.client_id and u.team_id = m.team_id and u.user_id = m.user_id
      where u.user_id is null
    `.execute(db);
    await db.schema
      .createIndex('memberships_by_first_seen')
      .on('memberships')
      .columns(['client_id', 'team_id', 'first_seen_at', 'user_id'])
      .execute();
    await db.schema
      .createTable('external_members')
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('team_id', 'text', (column) => column.notNull())
      .addColumn('home_team_id', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('name', 'text')
      .addColumn('real_name', 'text')
      .addColumn('email', 'text')
      .addColumn('timezone', 'text')
      .addColumn('locale', 'text')
      .addColumn('avatar_url', 'text')
      .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
      .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('external_members_pk', ['client_id', 'team_id', 'user_id', 'home_team_id'])
      .execute();
    await db.schema
      .createIndex('external_members_by_first_seen')
      .on('external_members')
      .columns(['client_id', 'team_id', 'first_seen_at', 'user_id'])
      .execute();
    await db.schema
      .createIndex('external_members_by_home')
      .on('external_members')
      .columns(['client_id', 'home_team_id', 'user_id'])
      .execute();
  },
};
