import { Client } from 'pg';
import { startPostgresServer } from '../packages/foyer/test/support/postgres-server.ts';

/**
 * A real, durable Postgres. Of the settings that affect its speed, only the shared memory, the size of the WAL and the
 * number of connections differ from the defaults.
 */
export interface BenchPostgres {
  /** Creates a database with this name, and returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** Vacuums and analyzes a database immediately, as autovacuum would do over time. */
  vacuum(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts a Postgres in a temporary folder. */
export async function startPostgres(): Promise<BenchPostgres> {
  const server = await startPostgresServer({
    durable: true,
    settings: ['shared_buffers=512MB', 'max_wal_size=4GB'],
  });
  return {
    async createDatabase(name) {
      await administer(server.url(), `create database "${name}"`);
      return server.url(name);
    },
    vacuum: (name) => administer(server.url(name), 'vacuum analyze'),
    async close() {
      // The server does not keep this process alive, but this process must live until the server has stopped.
      const alive = setInterval(() => {}, 1000);
      await server.close();
      clearInterval(alive);
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
