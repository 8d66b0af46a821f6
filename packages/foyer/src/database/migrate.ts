import { type Kysely, PostgresAdapter, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { ConfigProblem } from '../config/config-error.ts';
import { DatabaseNewerError, DatabaseUnavailableError, type Queries } from './database.ts';
import { m0001Initial } from './migrations/0001-initial.ts';
import { m0002OperatorIndexes } from './migrations/0002-operator-indexes.ts';
import { m0003OperatorNotices } from './migrations/0003-operator-notices.ts';
import { m0004SeveralProcesses } from './migrations/0004-several-processes.ts';
import { m0005EndedSessions } from './migrations/0005-ended-sessions.ts';
import { m0006PeopleByTeam } from './migrations/0006-people-by-team.ts';
import { m0007Pipelines } from './migrations/0007-pipelines.ts';
import { m0008Connections } from './migrations/0008-connections.ts';
import { m0011KeyHolders } from './migrations/0011-key-holders.ts';
import { m0012SearchPositions } from './migrations/0012-search-positions.ts';
import { m0013Sessions } from './migrations/0013-sessions.ts';
import { m0014Members } from './migrations/0014-members.ts';
import { m0015SeenDeliveries } from './migrations/0015-seen-deliveries.ts';
import { m0016JobTurns } from './migrations/0016-job-turns.ts';
import { m0017Moments } from './migrations/0017-moments.ts';
import { m0018WaysBack } from './migrations/0018-ways-back.ts';
import { m0019KeptCounts } from './migrations/0019-kept-counts.ts';
import { m0020HeldInstallations } from './migrations/0020-held-installations.ts';
import type { Tables } from './records.ts';

/**
 * Why two ledgers: Foyer's migrations and the app's own grow independently. In a single ledger, an update of Foyer
 * could add a name that sorts before one that the app has already applied, which Kysely refuses by default. So each has
 * its own table. Foyer's migrations run first, because the app's tables may refer to Foyer's.
 */

/** Foyer's migrations in order. Never change a released one: add a new migration, and one more line here. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': m0001Initial,
  '0002-operator-indexes': m0002OperatorIndexes,
  '0003-operator-notices': m0003OperatorNotices,
  '0004-several-processes': m0004SeveralProcesses,
  '0005-ended-sessions': m0005EndedSessions,
  '0006-people-by-team': m0006PeopleByTeam,
  '0007-pipelines': m0007Pipelines,
  '0008-connections': m0008Connections,
  '0011-key-holders': m0011KeyHolders,
  '0012-search-positions': m0012SearchPositions,
  '0013-sessions': m0013Sessions,
  '0014-members': m0014Members,
  '0015-seen-deliveries': m0015SeenDeliveries,
  '0016-job-turns': m0016JobTurns,
  '0017-moments': m0017Moments,
  '0018-ways-back': m0018WaysBack,
  '0019-kept-counts': m0019KeptCounts,
  '0020-held-installations': m0020HeldInstallations,
};

/** The names of Foyer's migrations that this code knows, in order. */
export const migrationNames: readonly string[] = Object.keys(migrations);

/**
 * The app's own migrations, by name: they run in the order of their names, after Foyer's.
 * @example
 * {
 *   '0001-orders': {
 *     up: (db) => db.schema.createTable('orders').addColumn('id', 'text', (c) => c.primaryKey()).execute(),
 *   },
 * }
 */
export type OwnMigrations = Readonly<Record<string, Migration>>;

/** Lists all problems in a definition's `migrations`, each with its fix. */
export function checkOwnMigrations(own: unknown): ConfigProblem[] {
  const isPlain = typeof own === 'object' && own !== null && !Array.isArray(own) && !(own instanceof Map);
  if (!isPlain) {
    const fix = "give migrations: { '0001-orders': { up: async (db) => { … } } }";
    return [{ name: 'migrations', problem: 'is not an object of migrations by name', fix }];
  }
  return Object.entries(own as Record<string, unknown>).flatMap(([key, migration]): ConfigProblem[] => {
    const name = `migrations[${JSON.stringify(key.slice(0, 80))}]`;
    const problems: ConfigProblem[] = [];
    // The name is stored in the ledger table, in a column of 255 characters. The fix suggests a name that begins with a
    // number, because migrations run in the order of their names.
    if (key.trim() === '' || key.length > 255) {
      problems.push({ name, problem: 'has an invalid name', fix: "name it like '0001-orders'" });
    }
    if (typeof Object(migration).up !== 'function') {
      problems.push({ name, problem: 'has no up function', fix: 'give { up: async (db) => { … } }' });
    }
    return problems;
  });
}

/** The table in which Foyer's own migrations are recorded. */
export const foyerLedgerTable = 'kysely_migration';
/** The table in which the app's own migrations are recorded. */
export const ownLedgerTable = 'app_migration';
const ownLock = 'app_migration_lock';

/** The tables of the app's own migrations: the ledger and its lock. */
export const ownLedgerTables: readonly string[] = [ownLedgerTable, ownLock];

/** Thrown at startup if one of the app's own migrations fails. Foyer then applies none of the new migrations. */
export class OwnMigrationError extends Error {
  override readonly name = 'OwnMigrationError';
  readonly code = 'own_migration_failed';
  readonly migration: string;
  constructor(migration: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `The app's migration ${migration} fails: ${reason.replace(/\.$/, '')}. ` +
        'Nothing was changed. Correct it in the definition (`migrations`), and start again.',
      { cause },
    );
    this.migration = migration;
  }
}

/** Runs `work` in a transaction, in only one process at a time. SQLite always runs write transactions one at a time. */
export type InTurn = (work: (queries: Kysely<Tables>) => Promise<void>) => Promise<void>;

/** Compares the migrations of a database with those of this code and of the app's definition, without running any. */
export function compareMigrations(
  inFoyerLedger: readonly string[],
  inOwnLedger: readonly string[],
  own: readonly string[],
): { missingMigrations: string[]; unknownMigrations: string[] } {
  const applied = [...inFoyerLedger, ...inOwnLedger];
  const missing = (name: string): boolean => !applied.includes(name);
  return {
    missingMigrations: [...migrationNames, ...own].filter(missing),
    unknownMigrations: [
      ...inFoyerLedger.filter((name) => !migrationNames.includes(name) && !own.includes(name)),
      ...inOwnLedger.filter((name) => !own.includes(name)),
    ],
  };
}

/**
 * Whether a database has no Foyer tables yet (`isEmpty`), or has tables that keep Foyer from creating its own, because
 * they belong to another program (`isOfAnother`). Runs no migration.
 */
export function judgeOwner(
  { hasInstallations, inFoyerLedger }: { hasInstallations: boolean; inFoyerLedger: readonly string[] },
  own: readonly string[],
): { isEmpty: boolean; isOfAnother: boolean } {
  const isMigrated = inFoyerLedger.some((name) => migrationNames.includes(name));
  const hasStrangers = inFoyerLedger.some((name) => !own.includes(name));
  const isOfAnother = !isMigrated && (hasInstallations || hasStrangers);
  return { isEmpty: !hasInstallations && !isOfAnother, isOfAnother };
}

/**
 * Brings Foyer's tables and the app's own up to date, in one transaction. If two processes start at the same time, only
 * one migrates.
 * @throws DatabaseNewerError if the database has migrations that this code does not know; DatabaseUnavailableError if
 * the database belongs to another program; OwnMigrationError
 */
export async function migrate(
  queries: Kysely<Tables>,
  own: OwnMigrations = {},
  inTurn: InTurn = (work) => queries.transaction().execute(work),
): Promise<void> {
  // Takes no lock if the database is up to date, so that a command can open it next to a busy Foyer without waiting.
  if (!(await findWork(queries, own)).isNeeded) return;
  await inTurn(async (db) => {
    const work = await findWork(db, own);
    if (work.adopted.length > 0) await adopt(db, work.adopted);
    if (work.isFoyerBehind) await migrateFoyer(db, Object.keys(own).length > 0);
    if (work.isOwnBehind) await migrateOwn(db, own);
  });
}

/**
 * Finds which migrations to run. `adopted` are the app's migrations that an older Foyer or another Kysely migrator
 * recorded in Foyer's ledger.
 */
async function findWork(queries: Kysely<Tables>, own: OwnMigrations) {
  const { foyer: applied, app } = await readLedgers(queries);
  const strangers = applied.filter((name) => !(name in migrations));
  const adopted = strangers.filter((name) => name in own);
  if (strangers.length > adopted.length) {
    throw strangersError(
      applied,
      strangers.filter((name) => !(name in own)),
    );
  }
  const appliedOwn = [...adopted, ...app];
  const unknown = appliedOwn.filter((name) => !(name in own));
  if (unknown.length > 0) throw new DatabaseNewerError(unknown, 'the app');
  const isFoyerBehind = migrationNames.some((name) => !applied.includes(name));
  const isOwnBehind = Object.keys(own).some((name) => !appliedOwn.includes(name));
  return {
    adopted,
    isFoyerBehind,
    isOwnBehind,
    isNeeded: isFoyerBehind || isOwnBehind || adopted.length > 0,
  };
}

/** The migrations that a database has, Foyer's and the app's own, in the order of their names. */
export async function readLedgers(queries: Kysely<Tables>): Promise<{ foyer: string[]; app: string[] }> {
  const tables = await queries.introspection.getTables({ withInternalKyselyTables: true });
  const own = await currentSchema(queries);
  const read = async (ledger: string) =>
    tables.some(({ schema, name }) => schema === own && name === ledger) ? namesIn(queries, ledger) : [];
  return { foyer: await read(foyerLedgerTable), app: await read(ownLedgerTable) };
}

/**
 * The schema of Foyer's tables; undefined on SQLite, which has no schemas. Other schemas of a Postgres database may
 * belong to other programs, which may have tables of the same names.
 */
export async function currentSchema(queries: Queries): Promise<string | undefined> {
  if (!(queries.getExecutor().adapter instanceof PostgresAdapter)) return undefined;
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(queries);
  return rows[0]?.name ?? undefined;
}

/** The names of the migrations that a ledger lists, in order. */
async function namesIn(queries: Kysely<Tables>, ledger: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(ledger)} order by name`.execute(
    queries,
  );
  return rows.map((row) => row.name);
}

/**
 * Returns the error for migrations that are in Foyer's ledger, but that this version of Foyer does not have. A
 * migration with a higher number than this version's last migration was added by a newer version of Foyer. Any other
 * such migration was added by another Kysely migrator.
 */
function strangersError(applied: readonly string[], strangers: readonly string[]): Error {
  if (strangers.length === applied.length) return ofAnother(`it has the migration ${strangers[0]}`);
  const last = migrationNames.at(-1)?.slice(0, 4) ?? '';
  const isNewer = (name: string) => /^\d{4}-/.test(name) && name.slice(0, 4) > last;
  const foreign = strangers.filter((name) => !isNewer(name));
  if (foreign.length === 0) return new DatabaseNewerError(strangers, 'Foyer');
  return new DatabaseUnavailableError(
    `The table ${foyerLedgerTable} holds migrations that are not Foyer's (${foreign.join(', ')}): another Kysely migrator ` +
      'uses this database too. Put these migrations into the definition as `migrations`: Foyer then records them in ' +
      `${ownLedgerTable}. Or let the other migrator use another table (\`migrationTableName\`) and remove the rows of these migrations from ${foyerLedgerTable}.`,
  );
}

function ofAnother(what: string, cause?: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError(
    `The database belongs to another program: ${what}. Set DATABASE_URL to a database that no other program uses.`,
    { cause },
  );
}

async function adopt(db: Kysely<Tables>, adopted: readonly string[]): Promise<void> {
  await sql`create table if not exists ${sql.table(ownLedgerTable)}
    (name varchar(255) not null primary key, timestamp varchar(255) not null)`.execute(db);
  await sql`insert into ${sql.table(ownLedgerTable)} (name, timestamp)
    select name, timestamp from ${sql.table(foyerLedgerTable)} where name in (${sql.join(adopted)})`.execute(
    db,
  );
  await sql`delete from ${sql.table(foyerLedgerTable)} where name in (${sql.join(adopted)})`.execute(db);
}

async function migrateFoyer(db: Kysely<Tables>, hasOwn: boolean): Promise<void> {
  const provider = { getMigrations: async () => ({ ...migrations }) };
  // A database from a build between two releases may have the newest migration but lack one with a lower number.
  const migrator = new Migrator({
    db,
    provider,
    migrationTableSchema: await currentSchema(db),
    allowUnorderedMigrations: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (isAlreadyThere(error) && hasOwn) {
    const message =
      `This version of Foyer creates a table that the database already has: ${error.message}. If the table belongs to your app, ` +
      'start the previous version, rename the table in a migration, and update again.';
    throw new DatabaseUnavailableError(message, { cause: error });
  }
  if (isAlreadyThere(error)) throw ofAnother(error.message, error);
  if (error) throw error;
}

/**
 * Whether a migration failed because its table or index already exists. SQLite reports this in a message, Postgres in a
 * code.
 */
function isAlreadyThere(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    /^(table|index) \S+ already exists$/.test(error.message) || ('code' in error && error.code === '42P07')
  );
}

async function migrateOwn(db: Kysely<Tables>, own: OwnMigrations): Promise<void> {
  const { error, results } = await new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...own }) },
    migrationTableName: ownLedgerTable,
    migrationTableSchema: await currentSchema(db),
    migrationLockTableName: ownLock,
    // Two branches of an app may each add a migration, and be merged in either order.
    allowUnorderedMigrations: true,
  }).migrateToLatest();
  if (!error) return;
  const failed = results?.find(({ status }) => status === 'Error')?.migrationName;
  if (failed === undefined) throw error;
  // If the server became unavailable during a migration, the migration is not at fault.
  if (error instanceof DatabaseUnavailableError) {
    const message = `The app's migration ${failed} was not applied. ${error.message}`;
    throw new DatabaseUnavailableError(message, { cause: error.cause });
  }
  throw new OwnMigrationError(failed, error);
}
