import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Indexes for the operator's lists, which filter and search a hundred thousand installations, and for the counts that
 * each metrics scrape repeats. Most of them contain every column that their query reads, so that the database need not
 * read the rows, which contain long sealed texts.
 */
export const m0002OperatorIndexes: Migration = {
  async up(db: Kysely<unknown>) {
    const index = (name: string, table: string, columns: string[]) =>
      db.schema.createIndex(name).on(table).columns(columns);
    await index('installations_by_status', 'installations', [
      'client_id',
      'status',
      'installed_at',
      'id',
    ]).execute();
    // Replaces an index that contains only `bot_expires_at`. A search for expiring tokens also filters by client id and
    // status, so the planner would choose the index above instead of the old one.
    await db.schema.dropIndex('installations_lapsing').execute();
    await index('installations_lapsing', 'installations', ['client_id', 'status', 'bot_expires_at'])
      .where(sql.ref('bot_expires_at'), 'is not', null)
      .execute();
    // A search by part of a name reads every name, newest first. This index stores the names close together.
    await index('installations_by_name', 'installations', [
      'client_id',
      'installed_at',
      'id',
      'status',
      'team_name',
      'enterprise_name',
    ]).execute();
    await index('installations_by_installer', 'installations', ['client_id', 'installer_user_id']).execute();
    await index('installations_by_enterprise', 'installations', ['client_id', 'enterprise_id'])
      .where(sql.ref('enterprise_id'), 'is not', null)
      .execute();
    await index('user_tokens_lapsing', 'user_tokens', ['expires_at'])
      .where(sql.ref('expires_at'), 'is not', null)
      .execute();
    await index('runs_by_status', 'runs', ['status', 'created_at', 'id', 'installation_id']).execute();
    await index('install_requests_by_outcome', 'install_requests', [
      'client_id',
      'outcome',
      'started_at',
      'id',
    ]).execute();
    for (const column of ['team_id', 'enterprise_id', 'requested_team_id']) {
      await index(`install_requests_by_${column}`, 'install_requests', ['client_id', column])
        .where(sql.ref(column), 'is not', null)
        .execute();
    }
    await index('install_requests_unstored', 'install_requests', ['client_id', 'started_at'])
      .where(sql.ref('sealed_tokens'), 'is not', null)
      .execute();
  },
};
