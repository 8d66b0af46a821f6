import type { DatabaseTarget } from '../config/database-target.ts';
import { type FoundTable, readTables } from './read-tables.ts';

// Why dynamic imports: see `openAnyDatabase`.

/**
 * Lists the tables of any database, Foyer's or not, without running a migration. Returns an empty list if the SQLite
 * file does not exist.
 * @throws DatabaseUnavailableError
 */
export async function peekTables(target: DatabaseTarget): Promise<FoundTable[]> {
  if (target.kind === 'postgres') {
    const { peekPostgres } = await import('./postgres/inspect-postgres.ts');
    return peekPostgres(target.url, readTables);
  }
  const { peekSqlite } = await import('./sqlite/inspect-sqlite.ts');
  return (await peekSqlite(target.file, readTables)) ?? [];
}

/**
 * Whether a running Foyer or a command has the database open. Call it only while this process does not have the
 * database open, because otherwise it always returns true.
 * @throws DatabaseUnavailableError
 */
export async function isInUse(target: DatabaseTarget): Promise<boolean> {
  if (target.kind === 'postgres') {
    const { isPostgresInUse } = await import('./postgres/inspect-postgres.ts');
    return isPostgresInUse(target.url);
  }
  const { isSqliteInUse } = await import('./sqlite/inspect-sqlite.ts');
  return isSqliteInUse(target.file);
}
