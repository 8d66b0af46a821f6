import { Kysely, PostgresDialect } from 'kysely';
import type { Queries } from '../database.ts';
import type { Tables } from '../records.ts';
import { createPostgresPool } from './postgres-pool.ts';

/**
 * Runs `work` on one connection to a database as it stands, whatever it holds: nothing in it is brought up to date.
 * @throws DatabaseUnavailableError
 */
export async function peekPostgres<T>(url: string, work: (queries: Queries) => Promise<T>): Promise<T> {
  const pool = createPostgresPool({ url, max: 1, unlimited: true });
  const queries = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await queries.connection().execute(work);
  } finally {
    await queries.destroy();
  }
}
