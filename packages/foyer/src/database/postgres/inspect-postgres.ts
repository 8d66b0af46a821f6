import { Kysely, PostgresDialect, sql } from 'kysely';
import { copyMarkTable } from '../copy/copy-mark.ts';
import type { Queries } from '../database.ts';
import { compareMigrations, judgeOwner, readLedgers } from '../migrate.ts';
import { readTables } from '../read-tables.ts';
import type { Tables } from '../records.ts';
import { createPostgresPool } from './postgres-pool.ts';

/** The state of a Postgres database before Foyer opens it. */
export interface PostgresInspection {
  /** Such as `16.4`. */
  version: string;
  majorVersion: number;
  isStandby: boolean;
  /** Whether a setting of the server, the database or the role makes transactions read-only. */
  isReadOnly: boolean;
  encoding: string;
  bytes: number;
  /** Whether this connection is encrypted. */
  isEncrypted: boolean;
  /** The schema in which new tables would be created; null if the role's search path names no existing schema. */
  schema: string | null;
  mayCreateTables: boolean;
  /** Whether the role may read and write every table in the schema; true if Foyer's tables do not exist yet. */
  mayWrite: boolean;
  /** How many connections ordinary roles may open in total, to all databases of the server. */
  mostConnections: number;
  /** How many clients are connected to the server, not counting this inspection. */
  connections: number;
  /** The age in seconds of the oldest open transaction in the database; null if there is none. */
  oldestTransactionSeconds: number | null;
  /** Replication slots without a connected client: the server keeps every log file that such a slot still needs. */
  idleSlots: string[];
  /** Whether Foyer's tables do not exist yet. */
  isEmpty: boolean;
  /** Whether tables of another program keep Foyer from creating its own. */
  isOfAnother: boolean;
  /** Whether the database contains an unfinished copy. */
  isUnfinishedCopy: boolean;
  /** Migrations that this code has and the database does not. */
  missingMigrations: string[];
  /** Migrations that a newer Foyer applied, or that the app's definition does not have. */
  unknownMigrations: string[];
}

/**
 * Inspects a database without changing it. `own` lists the names of the app's own migrations.
 * @throws DatabaseUnavailableError whose cause says why
 */
export function inspectPostgres(url: string, own: readonly string[] = []): Promise<PostgresInspection> {
  return peekPostgres(underCopyName(url), async (queries) => ({
    ...(await inspectServer(queries)),
    ...(await inspectRights(queries)),
    ...(await inspectSchema(queries, own)),
  }));
}

async function inspectServer(queries: Queries) {
  type AsTold =
    | 'version'
    | 'isStandby'
    | 'isReadOnly'
    | 'encoding'
    | 'bytes'
    | 'mostConnections'
    | 'connections';
  const { rows } = await sql<
    Pick<PostgresInspection, AsTold> & {
      number: number;
      isEncrypted: boolean | null;
      oldest: number | null;
      idleSlots: string[] | null;
    }
  >`
    select current_setting('server_version') as version,
           current_setting('server_version_num')::int as number,
           pg_is_in_recovery() as "isStandby",
           current_setting('transaction_read_only') = 'on' as "isReadOnly",
           current_setting('server_encoding') as encoding,
           pg_database_size(current_database()) as bytes,
           (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as "isEncrypted",
           current_setting('max_connections')::int
             - current_setting('superuser_reserved_connections')::int as "mostConnections",
           (select count(*) from pg_stat_activity
             where backend_type = 'client backend' and pid <> pg_backend_pid()) as connections,
           (select extract(epoch from max(now() - xact_start))::int from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()) as oldest,
           (select array_agg(slot_name::text) from pg_replication_slots where not active) as "idleSlots"`.execute(
    queries,
  );
  const [found] = rows;
  if (!found) throw new Error('the server did not report its settings');
  const { number, oldest, idleSlots, isEncrypted, ...rest } = found;
  return {
    ...rest,
    majorVersion: Math.floor(number / 10_000),
    isEncrypted: isEncrypted === true,
    oldestTransactionSeconds: oldest,
    idleSlots: idleSlots ?? [],
  };
}

async function inspectRights(queries: Queries) {
  const { rows } = await sql<{ schema: string | null; mayCreateTables: boolean | null }>`
    select current_schema() as schema,
           has_schema_privilege(current_schema(), 'create') as "mayCreateTables"`.execute(queries);
  const [found] = rows;
  return { schema: found?.schema ?? null, mayCreateTables: found?.mayCreateTables === true };
}

async function inspectSchema(queries: Queries, own: readonly string[]) {
  const tables = (await readTables(queries)).map(({ name }) => name);
  const { foyer: inFoyerLedger, app: inOwnLedger } = await readLedgers(queries);
  const { isEmpty, isOfAnother } = judgeOwner(
    { hasInstallations: tables.includes('installations'), inFoyerLedger },
    own,
  );
  return {
    isEmpty,
    isOfAnother,
    isUnfinishedCopy: tables.includes(copyMarkTable),
    mayWrite: isEmpty || isOfAnother || (await mayWriteAll(queries)),
    ...compareMigrations(inFoyerLedger, inOwnLedger, own),
  };
}

async function mayWriteAll(queries: Queries): Promise<boolean> {
  const { rows } = await sql<{ all: boolean | null }>`
    select bool_and(has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
                and has_table_privilege(oid, 'update') and has_table_privilege(oid, 'delete')) as all
      from pg_class where relkind = 'r' and relnamespace = quote_ident(current_schema())::regnamespace`.execute(
    queries,
  );
  return rows[0]?.all === true;
}

/** Opens a database for queries without running a migration. Close it when done. */
export function readPostgres(url: string): { queries: Queries; close(): Promise<void> } {
  const pool = createPostgresPool({ url: underCopyName(url), max: 1 });
  const queries = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return { queries, close: () => queries.destroy() };
}

/**
 * Runs `work` on one connection to a database, Foyer's or not, without running a migration.
 * @throws DatabaseUnavailableError
 */
export async function peekPostgres<T>(url: string, work: (queries: Queries) => Promise<T>): Promise<T> {
  const pool = createPostgresPool({ url, max: 1, unlimited: true });
  const queries = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await queries.connection().execute(work);
  } finally {
    await queries.destroy();
  }
}

/**
 * A running Foyer sends a query every two seconds. If a connection has been idle for this long, the Foyer that used the
 * connection has ended, and only PgBouncer keeps the connection open.
 */
const busyWithin = '10 seconds';

/**
 * Whether a Foyer or one of its commands, on any machine, uses the database. Looks for connections by their
 * `application_name`: the one in the URL, `foyer` by default. Normally sees only the connections of the URL's own role.
 * If that role has `pg_read_all_stats`, sees the connections of all roles.
 * @throws DatabaseUnavailableError
 */
export function isPostgresInUse(url: string): Promise<boolean> {
  const name = new URL(url).searchParams.get('application_name') ?? 'foyer';
  return peekPostgres(underCopyName(url), async (queries) => {
    const { rows } = await sql<{ others: number }>`
      select count(*) as others from pg_stat_activity
       where datname = current_database() and application_name = ${name}
         and (state <> 'idle' or state_change > now() - ${sql.lit(busyWithin)}::interval)`.execute(queries);
    return (rows[0]?.others ?? 0) > 0;
  });
}

/** The URL, with a connection name that distinguishes this command from a running Foyer. */
export function underCopyName(url: string): string {
  const named = new URL(url);
  named.searchParams.set('application_name', 'foyer-copy');
  return named.href;
}
