import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { DatabaseTarget } from '../../src/config/database-target.ts';
import type { Database } from '../../src/database/database.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createPostgresDatabase } from './shared-postgres.ts';
import { createSqliteDatabase } from './sqlite-template.ts';

/** A real database for one test, in a temporary place. */
export interface TestDatabase {
  database: Database;
  target: DatabaseTarget;
  /** Opens another connection to the same database. `close` closes all of them. */
  reopen(): Promise<Database>;
  /** Everything that a thief of the database could read: SQLite's files, or every row of Postgres. */
  rawBytes(): Promise<Buffer>;
  close(): Promise<void>;
}

/** For each engine that Foyer runs on: its name in test titles, and the function that opens a test database on it. */
export const engines = { SQLite: openTestDatabase, Postgres: openPostgresTestDatabase } as const;

/** Opens a fresh SQLite database in a temporary folder, which `close` removes. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'foyer-test-'));
  const file = join(folder, 'foyer.db');
  await createSqliteDatabase(file);
  return open(
    { kind: 'sqlite', file },
    {
      async rawBytes() {
        const parts = await Promise.all(
          ['', '-wal', '-shm'].map((suffix) => readFile(file + suffix).catch(() => Buffer.alloc(0))),
        );
        return Buffer.concat(parts);
      },
      remove: () => rm(folder, { recursive: true, force: true }),
    },
  );
}

/** Opens a fresh Postgres database on the server that the tests share; `close` drops it. */
export async function openPostgresTestDatabase(): Promise<TestDatabase> {
  const { url, drop } = await createPostgresDatabase();
  return open(
    { kind: 'postgres', url },
    {
      async rawBytes({ queries }) {
        const tables = await queries.introspection.getTables();
        const dumps = tables.map(async ({ name }) => {
          const table = sql.table(name);
          const { rows } = await sql<{ row: string }>`select ${table}::text as row from ${table}`.execute(
            queries,
          );
          return rows.map(({ row }) => row).join('\n');
        });
        return Buffer.from((await Promise.all(dumps)).join('\n'));
      },
      remove: drop,
    },
  );
}

async function open(
  target: DatabaseTarget,
  place: { rawBytes(database: Database): Promise<Buffer>; remove(): Promise<void> },
): Promise<TestDatabase> {
  const opened: Database[] = [];
  const reopen = async (): Promise<Database> => {
    const database = await openDatabase(target);
    opened.push(database);
    return database;
  };
  const database = await reopen();
  return {
    database,
    target,
    reopen,
    rawBytes: () => place.rawBytes(database),
    async close() {
      await Promise.all(opened.map((each) => each.close()));
      await place.remove();
    },
  };
}
