import { statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { DatabaseUnavailableError, type Queries } from '../database.ts';
import type { Tables } from '../records.ts';

/**
 * Runs `work` on a database file as it stands, whatever it holds: it is only read. Undefined where there is none, or an
 * empty file.
 * @throws DatabaseUnavailableError
 */
export async function peekSqlite<T>(
  file: string,
  work: (queries: Queries) => Promise<T>,
): Promise<T | undefined> {
  if (!statSync(file, { throwIfNoEntry: false })?.size) return undefined;
  try {
    const database = new Sqlite(file, { readonly: true, fileMustExist: true });
    const queries = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
    try {
      return await work(queries);
    } finally {
      await queries.destroy();
    }
  } catch (cause) {
    if (!(cause instanceof Sqlite.SqliteError)) throw cause;
    throw new DatabaseUnavailableError(`The database ${file} cannot be used: ${cause.message}`, { cause });
  }
}
