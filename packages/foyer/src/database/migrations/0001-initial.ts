import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Every table of the first version; `records.ts` says what each column means. */
export const m0001Initial: Migration = {
  async up(db: Kysely<unknown>) {
    await createInstallations(db);
    await createPeople(db);
    await createInstallRequests(db);
    await createRuns(db);
    await createRecords(db);
  },
};

async function createInstallations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('installations')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text')
    .addColumn('team_name', 'text')
    .addColumn('enterprise_id', 'text')
    .addColumn('enterprise_name', 'text')
    .addColumn('is_enterprise_install', 'integer', (column) => column.notNull())
    .addColumn('app_id', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('broken_reason', 'text')
    .addColumn('life', 'integer', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('installer_user_id', 'text', (column) => column.notNull())
    .addColumn('installed_at', 'bigint', (column) => column.notNull())
    .addColumn('uninstalled_at', 'bigint')
    .addColumn('bot_user_id', 'text')
    .addColumn('bot_scopes', 'text')
    .addColumn('bot_expires_at', 'bigint')
    .addColumn('sealed_bot', 'text')
    .addColumn('refresh_owner', 'text')
    .addColumn('refresh_until', 'bigint')
    .addUniqueConstraint('installations_tenant', ['client_id', 'tenant'])
    .execute();
  await db.schema
    .createIndex('installations_by_time')
    .on('installations')
    .columns(['client_id', 'installed_at', 'id'])
    .execute();
  await db.schema
    .createIndex('installations_lapsing')
    .on('installations')
    .column('bot_expires_at')
    .where(sql.ref('bot_expires_at'), 'is not', null)
    .execute();
  await db.schema
    .createTable('user_tokens')
    .addColumn('installation_id', 'text', (column) =>
      column.notNull().references('installations.id').onDelete('cascade'),
    )
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('sealed_user', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('refresh_owner', 'text')
    .addColumn('refresh_until', 'bigint')
    .addPrimaryKeyConstraint('user_tokens_pk', ['installation_id', 'user_id'])
    .execute();
}

async function createPeople(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('teams')
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text')
    .addColumn('domain', 'text')
    .addColumn('icon_url', 'text')
    .addColumn('enterprise_id', 'text')
    .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('teams_pk', ['client_id', 'team_id'])
    .execute();
  await db.schema
    .createTable('users')
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text')
    .addColumn('real_name', 'text')
    .addColumn('email', 'text')
    .addColumn('timezone', 'text')
    .addColumn('locale', 'text')
    .addColumn('avatar_url', 'text')
    .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('users_pk', ['client_id', 'user_id'])
    .execute();
  await db.schema
    .createTable('memberships')
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('is_admin', 'integer', (column) => column.notNull())
    .addColumn('is_owner', 'integer', (column) => column.notNull())
    .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('memberships_pk', ['client_id', 'team_id', 'user_id'])
    .execute();
  await db.schema
    .createIndex('memberships_by_user')
    .on('memberships')
    .columns(['client_id', 'user_id'])
    .execute();
  await db.schema
    .createTable('team_access')
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('enterprise_id', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('granted', 'integer', (column) => column.notNull())
    .addColumn('changed_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('team_access_pk', ['client_id', 'enterprise_id', 'team_id'])
    .execute();
}

async function createInstallRequests(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('install_requests')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('progress_hash', 'text', (column) => column.notNull().unique())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('error_code', 'text')
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('used_at', 'bigint')
    .addColumn('finished_at', 'bigint')
    .addColumn('requested_team_id', 'text')
    .addColumn('team_id', 'text')
    .addColumn('team_name', 'text')
    .addColumn('enterprise_id', 'text')
    .addColumn('user_id', 'text')
    .addColumn('installation_id', 'text')
    .addColumn('run_id', 'text')
    .addColumn('sealed_tokens', 'text')
    .execute();
  await db.schema
    .createIndex('install_requests_by_time')
    .on('install_requests')
    .columns(['client_id', 'started_at', 'id'])
    .execute();
  await db.schema
    .createIndex('install_requests_open')
    .on('install_requests')
    .column('started_at')
    .where(sql.ref('outcome'), '=', sql.lit('started'))
    .execute();
}

async function createRuns(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('runs')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('installation_id', 'text', (column) =>
      column.notNull().references('installations.id').onDelete('cascade'),
    )
    .addColumn('life', 'integer', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('finished_at', 'bigint')
    .addColumn('due_at', 'bigint')
    .addColumn('waiting_for', 'text')
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint')
    .execute();
  await db.schema
    .createIndex('runs_due')
    .on('runs')
    .column('due_at')
    .where(sql.ref('due_at'), 'is not', null)
    .execute();
  await db.schema
    .createIndex('runs_by_installation')
    .on('runs')
    .columns(['installation_id', 'created_at', 'id'])
    .execute();
  await db.schema
    .createTable('steps')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('output', 'text')
    .addColumn('error_code', 'text')
    .addColumn('error_message', 'text')
    .addColumn('started_at', 'bigint')
    .addColumn('finished_at', 'bigint')
    .addPrimaryKeyConstraint('steps_pk', ['run_id', 'name'])
    .execute();
  await db.schema
    .createTable('step_attempts')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('step_name', 'text', (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('error_code', 'text')
    .addColumn('error_message', 'text')
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('finished_at', 'bigint')
    .addPrimaryKeyConstraint('step_attempts_pk', ['run_id', 'step_name', 'attempt'])
    .execute();
}

async function createRecords(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('welcomes')
    .addColumn('installation_id', 'text', (column) =>
      column.notNull().references('installations.id').onDelete('cascade'),
    )
    .addColumn('life', 'integer', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('run_id', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('channel_id', 'text')
    .addColumn('message_ts', 'text')
    .addColumn('attempted_at', 'bigint', (column) => column.notNull())
    .addColumn('sent_at', 'bigint')
    .addPrimaryKeyConstraint('welcomes_pk', ['installation_id', 'life', 'user_id'])
    .execute();
  await db.schema
    .createTable('history')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('installation_id', 'text', (column) =>
      column.notNull().references('installations.id').onDelete('cascade'),
    )
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text')
    .addColumn('detail', 'text')
    .execute();
  await db.schema
    .createIndex('history_by_installation')
    .on('history')
    .columns(['installation_id', 'id'])
    .execute();
  await db.schema
    .createTable('home_views')
    .addColumn('installation_id', 'text', (column) =>
      column.notNull().references('installations.id').onDelete('cascade'),
    )
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('opened_at', 'bigint', (column) => column.notNull())
    .addColumn('published_hash', 'text')
    .addPrimaryKeyConstraint('home_views_pk', ['installation_id', 'user_id'])
    .execute();
  await db.schema
    .createTable('encryption_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sealed_check', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
}
