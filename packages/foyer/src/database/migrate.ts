import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { DatabaseNewerError, DatabaseUnavailableError } from './database.ts';
import { m0001Initial } from './migrations/0001-initial.ts';
import { m0002OperatorIndexes } from './migrations/0002-operator-indexes.ts';
import { m0003OperatorNotices } from './migrations/0003-operator-notices.ts';
import { m0004SeveralProcesses } from './migrations/0004-several-processes.ts';
import { m0005EndedSessions } from './migrations/0005-ended-sessions.ts';
import { m0008Connections } from './migrations/0008-connections.ts';
import type { Tables } from './records.ts';

/** The migrations in order. A released one is never changed: a change is a new one, and one more line here. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': m0001Initial,
  '0002-operator-indexes': m0002OperatorIndexes,
  '0003-operator-notices': m0003OperatorNotices,
  '0004-several-processes': m0004SeveralProcesses,
  '0005-ended-sessions': m0005EndedSessions,
  '0008-connections': m0008Connections,
};

/** The names of the migrations that this code knows, in order. */
export const migrationNames: readonly string[] = Object.keys(migrations);

async function appliedMigrations(queries: Kysely<Tables>): Promise<string[]> {
  const tables = await queries.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(
    queries,
  );
  return rows.map((row) => row.name);
}

async function isUpToDate(queries: Kysely<Tables>): Promise<boolean> {
  const applied = await appliedMigrations(queries);
  const unknown = applied.filter((name) => !(name in migrations));
  // Kysely's own table is there, too, where another program uses it.
  if (unknown.length > 0 && unknown.length === applied.length)
    throw ofAnother(`it has the migration ${unknown[0]}`);
  if (unknown.length > 0) throw new DatabaseNewerError(unknown);
  return applied.length === migrationNames.length;
}

function ofAnother(what: string, cause?: unknown): DatabaseUnavailableError {
  const mend = 'Give Foyer a database of its own in DATABASE_URL.';
  return new DatabaseUnavailableError(`The database is another program’s: ${what}. ${mend}`, { cause });
}

/** Whether a table that a migration makes is there without it: SQLite says so in words, Postgres by a code. */
function isAlreadyThere(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    /^(table|index) \S+ already exists$/.test(error.message) || ('code' in error && error.code === '42P07')
  );
}

/**
 * Brings the schema up to date, in one transaction; two processes that start at once do it once. `inTurn` runs its work
 * in a transaction, while no other process does: in SQLite each one is alone.
 * @throws DatabaseNewerError when the database has migrations that this code does not know;
 * DatabaseUnavailableError when it is another program's
 */
export async function migrate(
  queries: Kysely<Tables>,
  inTurn: (work: (queries: Kysely<Tables>) => Promise<void>) => Promise<void> = (work) =>
    queries.transaction().execute(work),
): Promise<void> {
  // Nothing to do must need no lock: a command line beside a busy Foyer opens at once.
  if (await isUpToDate(queries)) return;
  await inTurn(async (db) => {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
    const { error } = (await isUpToDate(db)) ? {} : await migrator.migrateToLatest();
    if (isAlreadyThere(error)) throw ofAnother(error.message, error);
    if (error) throw error;
  });
}
