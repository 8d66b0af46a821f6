import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import { longestLinkMs } from '../connections/link.ts';
import { formLifetimeMs } from '../connections/link-cookies.ts';
import { sweepUsedLinks } from '../database/connections.ts';
import type { Database } from '../database/database.ts';
import {
  failInstallRequest,
  findInterruptedRequests,
  startOfNewest,
  sweepInstallRequests,
} from '../database/install-requests.ts';
import type { UnstoredTokens } from './unstored-tokens.ts';

/**
 * Foyer answers a callback within ten seconds. If an install request is still open after a minute, it was interrupted.
 */
export const interruptedAfterMs = 60_000;

/**
 * How long Foyer keeps an install request for operators. While the request is stored, its state cannot be used twice.
 * The state expires long before Foyer erases the request.
 */
const installRequestsKeptMs = 90 * 24 * 3_600_000;

/**
 * Strangers can cause attempts that fail, so Foyer keeps only the newest ones: at most this many cancelled attempts,
 * and as many failed ones.
 */
const unsuccessfulKept = 10_000;

/** Foyer erases old rows in transactions of `batchRows` rows each; one sweep stops after `mostBatches` transactions. */
const batchRows = 500;
const mostBatches = 100;

/**
 * Creates the function that cleans up install requests that a crash or a database outage interrupted. It revokes tokens
 * that were issued but not stored (invariant 1), and marks the requests failed. It also erases old install requests and
 * used links. Each process calls it when it starts. After that, one of the processes calls it every minute. If two
 * processes call it at the same time, this does no harm.
 */
export function createRecoverInstalls(deps: {
  config: Pick<Config, 'slack'>;
  database: Database;
  unstoredTokens: UnstoredTokens;
  /** Called when Foyer finds an install request whose code exchange was interrupted. Must not throw. */
  onInterrupted?(): void;
  now: () => number;
  log: Logger;
}): () => Promise<void> {
  const { database, log, now } = deps;
  const { clientId } = deps.config.slack;
  return async function recoverInstalls() {
    const search = { clientId, before: now() - interruptedAfterMs, limit: 50 };
    for (const request of await findInterruptedRequests(database.queries, search)) {
      if (request.sealed_tokens !== null) {
        const revoked = await deps.unstoredTokens
          .giveBackKept(request.id, request.sealed_tokens)
          .catch((error) =>
            log.error({ err: error, requestId: request.id }, 'could not read unstored tokens'),
          );
        const interrupted = { requestId: request.id, tokensRevoked: revoked === true };
        log[revoked === true ? 'warn' : 'error'](interrupted, 'an install was interrupted');
      }
      const failed = { id: request.id, errorCode: 'interrupted', now: now() };
      await database.write((trx) => failInstallRequest(trx, failed));
      if (request.outcome === 'started') deps.onInterrupted?.();
    }
    const linksBefore = now() - longestLinkMs - formLifetimeMs;
    await database.write((trx) => sweepUsedLinks(trx, { clientId, before: linksBefore }));
    let swept = await sweep({ clientId, before: now() - installRequestsKeptMs });
    for (const outcome of ['cancelled', 'failed'] as const) {
      const before = await startOfNewest(database.queries, { clientId, outcome, count: unsuccessfulKept });
      if (before !== undefined) swept += await sweep({ clientId, before, outcome });
    }
    if (swept > 0) log.info({ swept }, 'erased old install requests');
  };

  async function sweep(range: Omit<Parameters<typeof sweepInstallRequests>[1], 'limit'>): Promise<number> {
    let swept = 0;
    for (let n = 0; n < mostBatches; n += 1) {
      const batch = await database.write((trx) => sweepInstallRequests(trx, { ...range, limit: batchRows }));
      swept += batch;
      if (batch < batchRows) break;
    }
    return swept;
  }
}
