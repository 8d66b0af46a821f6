import { type PostgresServer, startPostgresServer } from './postgres-server.ts';
import { makeTemplate, sharedServerVariable } from './shared-postgres.ts';

/** Starts one Postgres server for all files of a test run (`--test-global-setup`), and stops it at the end. */

let server: PostgresServer | undefined;

/** Called by node:test before the first file. */
export async function globalSetup(): Promise<void> {
  server = await startPostgresServer();
  await makeTemplate(server.url());
  process.env[sharedServerVariable] = server.url();
}

/** Called by node:test after the last file. */
export async function globalTeardown(): Promise<void> {
  await server?.close();
}
