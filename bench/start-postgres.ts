import { Client } from 'pg';
import { startPostgresServer } from '../test/support/postgres-server.ts';

/** A real Postgres that keeps what it commits, as it comes but for more memory than its packages give it. */
export interface BenchPostgres {
  /** Makes a database of this name, and returns its URL. */
  createDatabase(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts it in a temporary folder. */
export async function startPostgres(): Promise<BenchPostgres> {
  const server = await startPostgresServer({
    durable: true,
    settings: ['shared_buffers=512MB', 'max_wal_size=4GB'],
  });
  return {
    async createDatabase(name) {
      const client = new Client({ connectionString: server.url() });
      await client.connect();
      await client.query(`create database ${client.escapeIdentifier(name)}`);
      await client.end();
      return server.url(name);
    },
    async close() {
      // The server does not keep this process alive, which must see its end.
      const alive = setInterval(() => {}, 1000);
      await server.close();
      clearInterval(alive);
    },
  };
}
