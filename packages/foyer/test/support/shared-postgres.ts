import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openPostgres } from '../../src/database/postgres/open-postgres.ts';
import { startPostgresServer } from './postgres-server.ts';

/**
 * The environment variable with the URL of the server that all files of a test run share. `start-shared-postgres.ts`
 * sets it.
 */
export const sharedServerVariable = 'FOYER_TEST_POSTGRES_URL';

const template = 'foyer_template';
let own: Promise<string> | undefined;

/** Returns the URL of the shared server. A test file that runs alone starts its own server. */
async function serverUrl(): Promise<string> {
  const shared = process.env[sharedServerVariable];
  if (shared) return shared;
  own ??= startOwnServer();
  return own;
}

async function startOwnServer(): Promise<string> {
  const url = (await startPostgresServer()).url();
  await makeTemplate(url);
  return url;
}

/** Creates the template for test databases, migrated and empty. Does nothing if it exists. */
export async function makeTemplate(url: string): Promise<void> {
  const { rowCount } = await administer(url, `select 1 from pg_database where datname = '${template}'`);
  if (rowCount !== 0) return;
  await administer(url, `create database ${template}`);
  await (await openPostgres(databaseUrl(url, template))).close();
}

/** Runs one statement as the server's owner. */
async function administer(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

function databaseUrl(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

/** Creates a database with Foyer's tables (none if `empty`) on the shared server. `drop` also ends its connections. */
export async function createPostgresDatabase(
  options: { empty?: boolean } = {},
): Promise<{ url: string; drop(): Promise<void> }> {
  const server = await serverUrl();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(server, `create database ${name}${options.empty ? '' : ` template ${template}`}`);
  return {
    url: databaseUrl(server, name),
    async drop() {
      await administer(server, `drop database if exists ${name} with (force)`);
    },
  };
}
