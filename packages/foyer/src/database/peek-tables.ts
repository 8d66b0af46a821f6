import type { DatabaseTarget } from '../config/database-target.ts';
import { isPostgresInUse, peekPostgres } from './postgres/inspect-postgres.ts';
import { type FoundTable, readTables } from './read-tables.ts';
import { isSqliteInUse, peekSqlite } from './sqlite/inspect-sqlite.ts';

/** The tables of an unopened database, Foyer's or not; empty if there is no file. @throws DatabaseUnavailableError */
export async function peekTables(target: DatabaseTarget): Promise<FoundTable[]> {
  if (target.kind === 'postgres') return peekPostgres(target.url, readTables);
  return (await peekSqlite(target.file, readTables)) ?? [];
}

/** Whether a Foyer or a command has the database open. This process must not. @throws DatabaseUnavailableError */
export async function isInUse(target: DatabaseTarget): Promise<boolean> {
  return target.kind === 'sqlite' ? isSqliteInUse(target.file) : isPostgresInUse(target.url);
}
