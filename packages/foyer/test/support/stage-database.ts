import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { keysOf } from './installations.ts';
import type { engines } from './open-test-database.ts';
import { createPostgresDatabase } from './shared-postgres.ts';

/** The name of an engine in test titles. */
export type EngineName = keyof typeof engines;

/** A database for a running Foyer, with direct access that bypasses Foyer. */
export interface StageDatabase {
  /** The environment variables that make Foyer use this database. */
  environment: Record<string, string>;
  /**
   * Queries the database on a separate connection. Write SQL that both engines understand, with `?` for a parameter.
   */
  rows<Row>(sql: string, ...parameters: unknown[]): Promise<Row[]>;
  /** Changes the database directly, bypassing Foyer. */
  change(sql: string, ...parameters: unknown[]): Promise<void>;
  remove(): Promise<void>;
}

/** A SQLite file, which need not exist yet; the caller removes its folder. */
export function sqliteStageDatabase(file: string): StageDatabase {
  const ask = <T>(readonly: boolean, work: (database: Sqlite.Database) => T): T => {
    const database = new Sqlite(file, { readonly, timeout: 5000 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    environment: { DATABASE_URL: `file:${file}` },
    rows: async <Row>(sql: string, ...parameters: unknown[]) =>
      ask(true, (database) => database.prepare(sql).all(...parameters) as Row[]),
    change: async (sql, ...parameters) =>
      ask(false, (database) => void database.prepare(sql).run(...parameters)),
    async remove() {},
  };
}

/** How long to retry a query while the server restarts. */
const patienceMs = 20_000;

/** A Postgres database: the one at `url`, or else a fresh one on the server that the tests share. */
export async function postgresStageDatabase(given: { url?: string } = {}): Promise<StageDatabase> {
  const fresh = given.url === undefined ? await createPostgresDatabase() : undefined;
  const url = given.url ?? fresh?.url ?? '';
  const getTypeParser = (oid: number, format?: string) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text');
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    allowExitOnIdle: true,
    types: { getTypeParser },
  });
  pool.on('error', () => {});

  async function query(sql: string, parameters: unknown[]): Promise<unknown[]> {
    const giveUpAt = performance.now() + patienceMs;
    let nth = 0;
    const text = sql.replaceAll('?', () => `$${++nth}`);
    for (;;) {
      try {
        return (await pool.query(text, parameters)).rows;
      } catch (error) {
        const isOfServer = !(error instanceof pg.DatabaseError) || /^(57P|08|40)/.test(error.code ?? '');
        if (!isOfServer || performance.now() > giveUpAt) throw error;
        await sleep(50);
      }
    }
  }

  return {
    environment: {
      // Each stage gets few connections, since many stages share one server.
      DATABASE_URL: `${url}?pool_max=6`,
      TOKEN_ENCRYPTION_KEYS: keysOf('main')
        .map(({ id, base64 }) => `${id}:${base64}`)
        .join(','),
    },
    rows: async <Row>(sql: string, ...parameters: unknown[]) => (await query(sql, parameters)) as Row[],
    async change(sql, ...parameters) {
      await query(sql, parameters);
    },
    async remove() {
      await pool.end();
      await fresh?.drop();
    },
  };
}
