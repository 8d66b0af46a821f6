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

/** A callback is answered within ten seconds: one that is open after a minute was interrupted. */
export const interruptedAfterMs = 60_000;

/** How long a pass through OAuth is kept for the operator. Its state's id goes with it: that lapsed long before. */
export const installRequestsKeptMs = 90 * 24 * 3_600_000;

/** Strangers can make attempts that fail: of those cancelled, and of those failed, so many of the newest are kept. */
const unsuccessfulKept = 10_000;

/** Old rows are erased in small transactions, and a pass ends after so many of them. */
const batchRows = 500;
const mostBatches = 100;

/**
 * Makes the clean-up of passes that a crash or a dead database left in the middle: tokens that were issued and not
 * stored are given back to Slack (invariant 1), the pass is marked failed, and passes older than 90 days are erased.
 * Called at the start and then every minute, by one of all processes; two that do it at once do no harm.
 */
export function createRecoverInstalls(deps: {
  config: Pick<Config, 'slack'>;
  database: Database;
  unstoredTokens: UnstoredTokens;
  /** A pass through OAuth was found cut off. Must not throw. */
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
        log.warn({ requestId: request.id, tokensRevoked: revoked === true }, 'an install was interrupted');
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
