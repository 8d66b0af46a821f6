import Sqlite from 'better-sqlite3';
import { Pool } from 'pg';

/**
 * What an app without Foyer stores at an install. It stores the same facts as Foyer, but commits each one separately.
 */
export interface HookRecords {
  saveInstallation(teamId: string, installation: string): unknown;
  saveTeam(teamId: string, name: string | null, domain: string | null): unknown;
  saveUser(user: {
    id: string;
    name?: string;
    realName?: string;
    email?: string;
    timezone?: string;
  }): unknown;
  saveMember(teamId: string, userId: string): unknown;
  close(): unknown;
}

const tables = `
  create table if not exists installations (team_id text primary key, installation text not null);
  create table if not exists teams (team_id text primary key, name text, domain text);
  create table if not exists users (user_id text primary key, name text, real_name text, email text, timezone text);
  create table if not exists members (team_id text, user_id text, primary key (team_id, user_id));`;

/** Stores the records in a SQLite file, with synchronous = FULL. */
export function recordsInSqlite(file: string): HookRecords {
  const sqlite = new Sqlite(file);
  sqlite.pragma('journal_mode = WAL');
  sqlite.pragma('synchronous = FULL');
  sqlite.exec(tables);
  const saveInstallation = sqlite.prepare('insert or replace into installations values (?, ?)');
  const saveTeam = sqlite.prepare('insert or replace into teams values (?, ?, ?)');
  const saveUser = sqlite.prepare('insert or replace into users values (?, ?, ?, ?, ?)');
  const saveMember = sqlite.prepare('insert or replace into members values (?, ?)');
  return {
    saveInstallation: (teamId, installation) => saveInstallation.run(teamId, installation),
    saveTeam: (teamId, name, domain) => saveTeam.run(teamId, name, domain),
    saveUser: ({ id, name, realName, email, timezone }) => saveUser.run(id, name, realName, email, timezone),
    saveMember: (teamId, userId) => saveMember.run(teamId, userId),
    close: () => sqlite.close(),
  };
}

export async function recordsInPostgres(url: string): Promise<HookRecords> {
  const pool = new Pool({ connectionString: url });
  await pool.query(tables);
  const upsert = (table: string, columns: readonly string[], keys: readonly string[]) => {
    const rest = columns
      .filter((column) => !keys.includes(column))
      .map((column) => `${column} = excluded.${column}`);
    const text =
      `insert into ${table} (${columns}) values (${columns.map((_, index) => `$${index + 1}`)}) ` +
      `on conflict (${keys}) do ${rest.length > 0 ? `update set ${rest}` : 'nothing'}`;
    return (...values: unknown[]) => pool.query({ name: table, text, values });
  };
  const saveInstallation = upsert('installations', ['team_id', 'installation'], ['team_id']);
  const saveTeam = upsert('teams', ['team_id', 'name', 'domain'], ['team_id']);
  const saveUser = upsert('users', ['user_id', 'name', 'real_name', 'email', 'timezone'], ['user_id']);
  const saveMember = upsert('members', ['team_id', 'user_id'], ['team_id', 'user_id']);
  return {
    saveInstallation,
    saveTeam,
    saveUser: ({ id, name, realName, email, timezone }) => saveUser(id, name, realName, email, timezone),
    saveMember,
    close: () => pool.end(),
  };
}
