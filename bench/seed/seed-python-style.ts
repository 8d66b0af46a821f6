import Sqlite from 'better-sqlite3';
import { app } from '../load/signed-events.ts';
import { botScopes, installationOf } from './bench-installation.ts';

/**
 * Fills a file as the Python SDK's SQLite3InstallationStore does: with its table and its index, and tokens in plain
 * text.
 */
export function seedPythonStyle(file: string, count: number): void {
  const sqlite = new Sqlite(file);
  sqlite.exec(`
    create table slack_installations (
      id integer primary key autoincrement,
      client_id text not null,
      app_id text not null,
      enterprise_id text not null default '',
      team_id text not null default '',
      team_name text,
      bot_token text,
      bot_id text,
      bot_user_id text,
      bot_scopes text,
      user_id text not null,
      is_enterprise_install boolean not null default 0,
      token_type text,
      installed_at datetime not null default current_timestamp
    );
    create index slack_installations_idx on slack_installations (
      client_id, enterprise_id, team_id, user_id, installed_at
    );`);
  const insert = sqlite.prepare(`
    insert into slack_installations
    (client_id, app_id, team_id, team_name, bot_token, bot_id, bot_user_id, bot_scopes, user_id, token_type)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'bot')`);
  sqlite.transaction(() => {
    for (let number = 0; number < count; number += 1) {
      const { team, user, bot } = installationOf(number);
      const { token, id, userId } = bot ?? {};
      insert.run(app.clientId, app.id, team.id, team.name, token, id, userId, botScopes.join(','), user.id);
    }
  })();
  sqlite.close();
}
