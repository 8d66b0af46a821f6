import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * A person belongs to a team: a Slack user id is unique only together with its team (or with the enterprise, for an
 * org-wide install). Before this migration, a person of several teams had one row, and the install of each team
 * overwrote the profile in it.
 *
 * A person of one team keeps their profile. For a person of several teams, Foyer cannot know which team's profile was
 * stored last. So the person gets a row without a profile and an unproven membership in each team, and Foyer asks Slack
 * again.
 *
 * The migration also adds the time at which Slack issued an install's tokens, by Slack's clock. Foyer compares an
 * event's time with it.
 */
export const m0006PeopleByTeam: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('installations').addColumn('slack_installed_at', 'bigint').execute();
    await db.schema
      .createTable('users_by_team')
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('team_id', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('name', 'text')
      .addColumn('real_name', 'text')
      .addColumn('email', 'text')
      .addColumn('timezone', 'text')
      .addColumn('locale', 'text')
      .addColumn('avatar_url', 'text')
      .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('users_by_team_pk', ['client_id', 'team_id', 'user_id'])
      .execute();
    // Why a table with a key, and not a subquery: without statistics, SQLite would scan all of an app's memberships for
    // each person.
    await db.schema
      .createTable('shared_people')
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('shared_people_pk', ['client_id', 'user_id'])
      .execute();
    await sql`
      insert into shared_people
      select client_id, user_id from memberships group by client_id, user_id having count(*) > 1
    `.execute(db);
    await sql`
      insert into users_by_team
      select m.client_id, m.team_id, m.user_id,
        case when s.user_id is null then u.name end,
        case when s.user_id is null then u.real_name end,
        case when s.user_id is null then u.email end,
        case when s.user_id is null then u.timezone end,
        case when s.user_id is null then u.locale end,
        case when s.user_id is null then u.avatar_url end,
        m.first_seen_at,
        case when s.user_id is null then u.updated_at else 0 end
      from memberships m
      join users u on u.client_id = m.client_id and u.user_id = m.user_id
      left join shared_people s on s.client_id = m.client_id and s.user_id = m.user_id
    `.execute(db);
    await sql`
      update memberships set updated_at = 0 where exists (
        select 1 from shared_people s
        where s.client_id = memberships.client_id and s.user_id = memberships.user_id
      )
    `.execute(db);
    await db.schema.dropTable('shared_people').execute();
    await db.schema.dropTable('users').execute();
    await db.schema.alterTable('users_by_team').renameTo('users').execute();
  },
};
