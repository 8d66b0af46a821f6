import { Kysely, PostgresDialect, sql } from 'kysely';
import type { Queries } from '../database.ts';
import type { Tables } from '../records.ts';
import { createPostgresPool } from './postgres-pool.ts';

/** REPEATABLE READ sees what was committed when its first query began; nobody waits for it, and it for nobody. */
const begin = [
  'begin isolation level repeatable read, read only',
  'set local statement_timeout = 0',
  'set local idle_in_transaction_session_timeout = 0',
].join('; ');

/**
 * Runs `work` on one consistent picture of the database, however long that takes and whoever writes meanwhile.
 * @throws DatabaseUnavailableError, also where the connection is lost: another one would see another picture
 */
export async function readPostgresSnapshot<T>(
  url: string,
  work: (snapshot: Queries) => Promise<T>,
): Promise<T> {
  const pool = createPostgresPool({ url, max: 1, unlimited: true });
  const queries = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await queries.connection().execute(async (snapshot) => {
      await sql.raw(begin).execute(snapshot);
      return work(snapshot);
    });
  } finally {
    await queries.destroy();
  }
}
