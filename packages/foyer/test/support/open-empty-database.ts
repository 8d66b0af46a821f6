import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import pg from 'pg';
import type { engines } from './open-test-database.ts';
import { createPostgresDatabase } from './shared-postgres.ts';

/** Opens a database without tables, for migrations that run one by one. */
export async function openEmptyDatabase(
  engine: keyof typeof engines,
): Promise<{ db: Kysely<unknown>; close(): Promise<void> }> {
  if (engine === 'Postgres') {
    const { url, drop } = await createPostgresDatabase({ empty: true });
    const pool = new pg.Pool({ connectionString: url });
    // If a connection is still closing when the database is dropped, pg reports an error on its client, or on the pool.
    pool.on('connect', (client) => client.on('error', () => {}));
    pool.on('error', () => {});
    const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
    return {
      db,
      async close() {
        await db.destroy();
        await drop();
      },
    };
  }
  const folder = await mkdtemp(join(tmpdir(), 'foyer-empty-'));
  const db = new Kysely<unknown>({
    dialect: new SqliteDialect({ database: new Sqlite(join(folder, 'foyer.db')) }),
  });
  return {
    db,
    async close() {
      await db.destroy();
      await rm(folder, { recursive: true });
    },
  };
}
