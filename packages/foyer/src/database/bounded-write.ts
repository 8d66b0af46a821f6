import type { KyselyPlugin } from 'kysely';
import type { Tx } from './database.ts';
import { markAppQuery } from './prepared-query.ts';

/**
 * Limits how long the app's own code may wait within a transaction. SQLite runs one write transaction at a time. If the
 * app's transaction waits for a network call or for another `write`, all installs and events wait for that transaction,
 * perhaps forever. In Postgres, such a transaction occupies a connection of the pool.
 */

/** How long a write may go without a query. */
const mostIdleMs = 5000;
/**
 * While a query runs, Foyer waits this much longer than `mostIdleMs`. Otherwise Foyer could give up on a slow query
 * before Postgres does, and the app would not get the error from Postgres.
 */
const mostStatementMs = 5000;

/** Thrown if a write sends no query for too long, because it waits for something other than the database. */
export class WriteStuckError extends Error {
  override readonly name = 'WriteStuckError';
  readonly code = 'write_stuck';
  constructor(idleMs: number) {
    super(
      `A write sent no query for ${idleMs / 1000} s and was rolled back. Within a write, run only queries of its own ` +
        'transaction: no call over the network, no other write, and no query outside the transaction.',
    );
  }
}

/**
 * Runs the app's `work` in a transaction. Rejects if `work` sends no query for `idleMs` milliseconds; later queries of
 * `work` then fail.
 * @throws WriteStuckError, or the error of `work`
 */
export async function boundedWrite<T>(tx: Tx, work: (tx: Tx) => Promise<T>, idleMs = mostIdleMs): Promise<T> {
  const { promise: stuck, reject } = Promise.withResolvers<never>();
  let error: WriteStuckError | undefined;
  let timer: NodeJS.Timeout | undefined;
  const waitAtMost = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      error = new WriteStuckError(idleMs);
      reject(error);
    }, ms);
  };
  const watch: KyselyPlugin = {
    transformQuery({ node }) {
      if (error) throw error;
      waitAtMost(idleMs + mostStatementMs);
      return markAppQuery(node);
    },
    async transformResult({ result }) {
      if (!error) waitAtMost(idleMs);
      return result;
    },
  };
  waitAtMost(idleMs);
  try {
    return await Promise.race([work(tx.withPlugin(watch)), stuck]);
  } finally {
    clearTimeout(timer);
  }
}
