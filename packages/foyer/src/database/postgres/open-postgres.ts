import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  PostgresDriver,
  type PostgresPool,
  sql,
} from 'kysely';
import { serverName } from '../../config/database-target.ts';
import { type Database, DatabaseUnavailableError, type Tx } from '../database.ts';
import { type InTurn, migrate, type OwnMigrations } from '../migrate.ts';
import { prepareQuery } from '../prepared-query.ts';
import { createProbe } from '../probe.ts';
import type { Tables } from '../records.ts';
import { backUpPostgres } from './back-up-postgres.ts';
import { asUnavailable, isConflict, isLostConnection } from './postgres-failure.ts';
import { createPostgresPool } from './postgres-pool.ts';
import { createWriteMarks, isMarkKept, prepareWriteMarks, type WriteMark } from './write-marks.ts';

/**
 * Each transaction sets its own limits, because PgBouncer may run it on any connection. Why not SERIALIZABLE, which
 * would need no row locks (`database.ts`): when thirty teams installed at the same time, 5 of 6 attempts of a
 * transaction failed because they touched the same index pages, and only 1 of 7 installs succeeded.
 */
const begin = [
  'begin isolation level read committed',
  'set local lock_timeout = 1000',
  'set local statement_timeout = 5000',
  'set local idle_in_transaction_session_timeout = 10000',
];

/** `changeMark` changes at least this often: this process does not see when another process commits a change. */
const seenWithinMs = 500;
const retryDelayMs = 15;
/**
 * How long the probe repeats a write that fails. `ping` waits longer than this for the probe, so the first `ping` after
 * a failure already reports the error.
 */
const probePatienceMs = 500;
/** How long Foyer tries to find out the outcome of a commit whose answer was lost, counted from the commit request. */
const doubtMs = 7500;
/** The key of the advisory lock that each Foyer takes while it migrates the database: "Foyer" in ASCII. */
const migrationLock = 0x466f796572;

/** Thrown within this file if the connection was lost between a commit and its answer. */
class CommitInDoubtError extends Error {
  override readonly name = 'CommitInDoubtError';
  readonly mark: WriteMark;
  /** When the commit was requested, on the clock of `performance.now()`. */
  readonly askedAt: number;
  constructor(mark: WriteMark, askedAt: number, cause: unknown) {
    super('it is not known whether a write was committed', { cause });
    this.mark = mark;
    this.askedAt = askedAt;
  }
}

/** Kysely's Postgres dialect with our own `begin`, and a commit that distinguishes a lost answer from a refusal. */
function foyerDialect(pool: PostgresPool): PostgresDialect {
  const marks = createWriteMarks();
  const markOf = new WeakMap<DatabaseConnection, WriteMark>();
  const createDriver = () => {
    const driver = new PostgresDriver({ pool });
    const commit = driver.commitTransaction.bind(driver);
    const rollback = driver.rollbackTransaction.bind(driver);
    const rollBack = async (connection: DatabaseConnection): Promise<void> => {
      markOf.get(connection)?.settle('not committed');
      // If the rollback fails, the pool discards the connection. The caller gets the error that led to the rollback.
      await rollback(connection as Parameters<typeof rollback>[0]).catch(() => {});
    };
    return Object.assign(driver, {
      async beginTransaction(connection: DatabaseConnection) {
        const mark = marks.next();
        markOf.set(connection, mark);
        try {
          await connection.executeQuery(CompiledQuery.raw([...begin, ...mark.statements].join('; ')));
        } catch (error) {
          // Kysely rolls back only if `begin` succeeded. It failed here, but the server may have opened the
          // transaction.
          await rollBack(connection);
          throw error;
        }
      },
      async commitTransaction(connection: DatabaseConnection) {
        const askedAt = performance.now();
        const mark = markOf.get(connection);
        try {
          await commit(connection as Parameters<typeof commit>[0]);
          mark?.settle('committed');
        } catch (error) {
          const isInDoubt = error instanceof DatabaseUnavailableError && isLostConnection(error.cause);
          throw isInDoubt && mark ? new CommitInDoubtError(mark, askedAt, error) : error;
        }
      },
      rollbackTransaction: rollBack,
    });
  };
  return Object.assign(new PostgresDialect({ pool }), { createDriver });
}

/** Turns off Kysely's migration lock, which belongs to a session: PgBouncer would leave it behind on a connection. */
function migratingDialect(pool: PostgresPool): PostgresDialect {
  const noLock = async (): Promise<void> => {};
  const createAdapter = () =>
    Object.assign(new PostgresAdapter(), { acquireMigrationLock: noLock, releaseMigrationLock: noLock });
  return Object.assign(new PostgresDialect({ pool }), { createAdapter });
}

/**
 * Brings the schema up to date. If several processes start at the same time, one migrates and the others wait. Queries
 * that only check the schema have the usual time limit. Migrations, and waits for another process's migration, have no
 * time limit.
 */
async function bringUpToDate(url: string, options: OpenPostgresOptions): Promise<void> {
  const { patienceMs } = options;
  const open = (unlimited: boolean) =>
    new Kysely<Tables>({
      dialect: migratingDialect(createPostgresPool({ url, max: 1, unlimited, patienceMs })),
    });
  const [looks, migrations] = [open(false), open(true)];
  const inTurn: InTurn = (work) =>
    migrations.transaction().execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(migrationLock)})`.execute(transaction);
      await work(transaction);
    });
  try {
    await requireVersion(looks, url);
    await migrate(looks, options.migrations, inTurn);
    await prepareWriteMarks(looks, inTurn);
  } finally {
    await Promise.all([looks.destroy(), migrations.destroy()]);
  }
}

async function requireVersion(queries: Kysely<Tables>, url: string): Promise<void> {
  const { rows } = await sql<{
    version: number;
  }>`select current_setting('server_version_num')::int as version`.execute(queries);
  const version = Math.floor((rows[0]?.version ?? 0) / 10_000);
  if (version >= 14) return;
  throw new DatabaseUnavailableError(
    `The database ${serverName(url)} runs Postgres ${version}; Foyer needs 14 or newer.`,
  );
}

interface OpenPostgresOptions {
  /** How long to wait for a server that is not running yet; 2,500 ms by default. */
  patienceMs?: number;
  migrations?: OwnMigrations;
}

/**
 * Opens a Postgres database, and brings it up to date. `url` is a libpq connection URL; its `pool_max` limits the
 * connections (10 by default).
 * @throws DatabaseUnavailableError, DatabaseNewerError, OwnMigrationError
 */
export async function openPostgres(url: string, options: OpenPostgresOptions = {}): Promise<Database> {
  const server = serverName(url);
  await bringUpToDate(url, options);
  const pool = createPostgresPool({ url });
  const queries = new Kysely<Tables>({ dialect: foyerDialect(pool) });
  let commits = 0;

  /**
   * Resolves to true once the transaction is known to be committed, to false once it is known not to be. If Foyer
   * cannot find out, throws an error after which `write` does not retry, because a retry might do the work twice.
   */
  async function wasCommitted(doubt: CommitInDoubtError): Promise<boolean> {
    const unknown = new DatabaseUnavailableError(`The database ${server} cannot be used: ${doubt.message}`, {
      cause: doubt,
      mayBeCommitted: true,
    });
    for (;;) {
      try {
        const isKept = await queries.transaction().execute((trx) => isMarkKept(trx, doubt.mark.id));
        doubt.mark.settle('committed');
        return isKept;
      } catch (error) {
        const mayPass = error instanceof DatabaseUnavailableError || error instanceof CommitInDoubtError;
        if (!mayPass) throw error;
        if (performance.now() - doubt.askedAt > doubtMs) throw unknown;
        await sleep(retryDelayMs);
      }
    }
  }

  async function commitOnce<T>(work: (transaction: Tx) => Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    try {
      return await queries.transaction().execute(async (transaction) => {
        const value = await work(transaction);
        result = { value };
        return value;
      });
    } catch (error) {
      if (!(error instanceof CommitInDoubtError)) throw error;
      if (result && (await wasCommitted(error))) return result.value;
      throw error.cause;
    }
  }

  async function write<T>(work: (tx: Tx) => Promise<T>, patienceMs = 2000): Promise<T> {
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      try {
        return await commitOnce(work);
      } catch (error) {
        const cause = error instanceof DatabaseUnavailableError ? error.cause : undefined;
        const isInDoubt = cause instanceof CommitInDoubtError;
        const mayPass = isConflict(cause) || (isLostConnection(cause) && !isInDoubt);
        if (!mayPass || performance.now() > giveUpAt) throw error;
        await sleep(retryDelayMs * (0.5 + Math.random()));
      } finally {
        commits += 1;
      }
    }
  }

  // Even an empty transaction writes a row (its write mark), so its commit tests whether the server can write. A server
  // that answers reads may refuse the commit: if it is read-only (a failover may leave `default_transaction_read_only`
  // on), if its disk is full, or if its synchronous standby is gone.
  const probeWrite = createProbe(
    () => write(async () => {}, probePatienceMs),
    'the server does not commit writes',
  );

  return {
    queries,
    write,
    prepare(build) {
      const run = prepareQuery(build);
      return async (values) => (await run(queries, values)).rows[0];
    },
    prepareList(build) {
      const run = prepareQuery(build);
      return async (values) => (await run(queries, values)).rows;
    },
    // Grows with each write of this process. Also grows twice a second, because other processes may have written.
    changeMark: () => commits + Math.floor(performance.now() / seenWithinMs),
    async ping() {
      try {
        const { isStandby } = await queries
          .selectNoFrom((eb) => [
            eb.fn<boolean>('pg_is_in_recovery').as('isStandby'),
            eb.exists(eb.selectFrom('encryption_keys').select('id')).as('hasKey'),
          ])
          .executeTakeFirstOrThrow();
        if (isStandby) throw new Error('it is a standby, which takes no writes');
        await probeWrite();
      } catch (error) {
        throw asUnavailable(error, server);
      }
    },
    failed: new Promise(() => {}),
    failure: () => undefined,
    damageSeen: () => pool.damageSeen(),
    async measure() {
      try {
        const measured = sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`;
        const { rows } = await measured.execute(queries);
        return { bytes: rows[0]?.bytes ?? 0, disk: undefined, pool: pool.counts() };
      } catch (error) {
        throw asUnavailable(error, server);
      }
    },
    async scrub() {
      // Postgres cleans its pages automatically (autovacuum), and its log is the responsibility of the people who run
      // the server.
    },
    backup: (file, onProgress) => backUpPostgres({ url, file, migrations: options.migrations, onProgress }),
    close: () => queries.destroy(),
  };
}
