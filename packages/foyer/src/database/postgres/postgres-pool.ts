import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import { serverName } from '../../config/database-target.ts';
import { asTold, isDamage, isLostConnection, isOfAborted, mayComeBack } from './postgres-failure.ts';

/**
 * Why the client enforces these time limits and not the server: a client's limits also work when the server or the
 * network hangs. And PgBouncer refuses a client that asks for a `statement_timeout` when it connects.
 */
const connectMs = 3000;
const statementMs = 5000;
/** How long a read, or the start of a transaction, waits while a server restarts or fails over. */
const reconnectMs = 2500;
const reconnectPauseMs = 100;

/**
 * Types that `pg` returns as text by default. Foyer reads them as numbers, because it stores only whole numbers below
 * 2^53 in them: times, counts and their sums.
 */
const numbers = new Set<number>([pg.types.builtins.INT8, pg.types.builtins.NUMERIC]);

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: string) =>
    numbers.has(oid) && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text'),
};

/** A pool that reports how many of its connections are in use, and how many callers wait for one. */
interface CountedPool extends PostgresPool {
  counts(): { busy: number; idle: number; waiting: number; most: number };
  /** How many statements failed because a page is damaged. */
  damageSeen(): number;
}

/**
 * Creates the pool on which Kysely runs its statements. The pool connects on first use. It turns a failure of the
 * server into a DatabaseUnavailableError. If a connection is lost during a read outside a transaction, the pool repeats
 * the read on another connection.
 */
export function createPostgresPool(options: {
  url: string;
  /** The maximum number of open connections; by default the URL's `pool_max`, or 10. */
  max?: number;
  /** Whether statements have no time limit, as migrations need; false by default. */
  unlimited?: boolean;
  /** How long to wait for a server that is not running; 2,500 ms by default. */
  patienceMs?: number;
}): CountedPool {
  const { url, patienceMs = reconnectMs } = options;
  const server = serverName(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? (Number(new URL(url).searchParams.get('pool_max')) || 10),
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    fallback_application_name: 'foyer',
    types,
    ...(options.unlimited ? {} : { query_timeout: statementMs }),
  });
  // Without a listener, the `error` event of a dead connection would end the process. No error is lost: if the
  // connection was in use, its statement fails too.
  const ignored = (): void => {};
  pool.on('error', ignored);
  pool.on('connect', (client) => client.on('error', ignored));

  let damageSeen = 0;
  const noteError = (error: unknown): void => {
    if (isDamage(error)) damageSeen += 1;
  };

  async function connect(): Promise<pg.PoolClient> {
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      try {
        return await pool.connect();
      } catch (error) {
        if (!mayComeBack(error) || performance.now() > giveUpAt) throw asTold(error, server);
        await sleep(reconnectPauseMs);
      }
    }
  }

  return {
    options: pool.options,
    async connect() {
      return createConnection(await connect(), { connect, noteError, server });
    },
    end: () => pool.end(),
    damageSeen: () => damageSeen,
    counts: () => ({
      busy: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      most: pool.options.max,
    }),
  };
}

/**
 * Creates a client with one connection. If the connection is lost during a read outside a transaction, the client
 * connects again and repeats the read.
 */
function createConnection(
  first: pg.PoolClient,
  deps: { connect(): Promise<pg.PoolClient>; noteError(error: unknown): void; server: string },
): PostgresPoolClient {
  const { connect, noteError, server } = deps;
  let client: pg.PoolClient | undefined = first;
  let lostBy: unknown;
  let abortedBy: unknown;
  let inTransaction = false;

  async function query(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<never>> {
    const giveUpAt = performance.now() + reconnectMs;
    if (/^begin\b/.test(text)) inTransaction = true;
    const mayRepeat = !inTransaction && /^select\b/.test(text);
    for (;;) {
      // A lost connection does not answer. Even a rollback on it would only run into the time limit again.
      if (!client || lostBy !== undefined) throw asTold(lostBy, server);
      try {
        return asResult(await client.query(text, [...values]));
      } catch (error) {
        noteError(error);
        if (!isLostConnection(error)) {
          // An aborted transaction refuses all later statements, so the caller gets the error that aborted it.
          if (!isOfAborted(error)) abortedBy = error;
          throw asTold(abortedBy ?? error, server);
        }
        lostBy = error;
        if (!mayRepeat || performance.now() > giveUpAt) throw asTold(error, server);
        client.release(true);
        client = undefined;
        client = await connect();
        lostBy = undefined;
      }
    }
  }

  return {
    // Kysely passes a cursor only for streams, and nothing here uses those.
    query: query as unknown as PostgresPoolClient['query'],
    release: (destroy) => client?.release(destroy || lostBy !== undefined),
  };
}

/** Several statements in one text have several results. Returns the last one. */
function asResult(result: pg.QueryResult | pg.QueryResult[]): PostgresQueryResult<never> {
  const last = Array.isArray(result) ? result.at(-1) : result;
  return last as unknown as PostgresQueryResult<never>;
}
