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

/** A callback gets its answer within ten seconds: one that is still open after a minute was interrupted. */
export const interruptedAfterMs = 60_000;

/** How long an install request is kept for the operator. Its state's id is erased with it; it expired long before. */
const installRequestsKeptMs = 90 * 24 * 3_600_000;

/** Strangers can cause attempts that fail: only this many of the newest cancelled and failed ones are kept. */
const unsuccessfulKept = 10_000;

/** Old rows are erased in small transactions; one clean-up stops after this many. */
const batchRows = 500;
const mostBatches = 100;

/**
 * Makes the clean-up of install requests that a crash or a dead database interrupted: it revokes tokens that were
 * issued but not stored (invariant 1), marks the request failed, and erases requests older than 90 days. One of all
 * processes calls it at the start and then every minute; two at once do no harm.
 */
export function createRecoverInstalls(deps: {
  config: Pick<Config, 'slack'>;
  database: Database;
  unstoredTokens: UnstoredTokens;
  /** An interrupted install request was found. Must not throw. */
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
