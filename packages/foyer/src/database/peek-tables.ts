import type { DatabaseTarget } from '../config/database-target.ts';
import { peekPostgres } from './postgres/peek-postgres.ts';
import { type FoundTable, readTables } from './read-tables.ts';
import { peekSqlite } from './sqlite/peek-sqlite.ts';

/** The tables of a database that is not open, whoever made them; none where there is no file. @throws DatabaseUnavailableError */
export async function peekTables(target: DatabaseTarget): Promise<FoundTable[]> {
  if (target.kind === 'postgres') return peekPostgres(target.url, readTables);
  return (await peekSqlite(target.file, readTables)) ?? [];
}
