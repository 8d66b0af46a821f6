import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { claimDeliveries, forgetDelivery, sweepDeliveries } from '../database/seen-deliveries.ts';
import { inTime } from '../http/in-time.ts';

/**
 * Remembers what Slack has delivered, so that listeners receive each delivery once.
 *
 * - **Events**, by their `event_id`: Slack sends an event again if Foyer's answer was lost, late or an error.
 * - **Button presses, commands and dialogs**, by their signature, which covers body and timestamp. Slack never sends
 *   the same request twice, but a person who recorded a signed request can send it again.
 *
 * Why both in memory and in the database: with one process, the process's own memory is enough, and costs nothing. On
 * Postgres, several processes may share the work. So if a process has not seen a delivery itself, it also asks the
 * database. One query claims all deliveries of one iteration of the event loop. If the database does not answer, the
 * delivery counts as new: twice is better than never.
 */

/**
 * How long Foyer remembers a delivery. Slack's last regular retry comes after five minutes, and Foyer accepts a signed
 * request for at most ten minutes.
 */
const keptMs = 60 * 60_000;
/**
 * `younger` and `older` each contain at most this many deliveries. Only requests with Slack's signature are remembered.
 */
const mostRemembered = 50_000;
/** How long Foyer waits for the database to claim deliveries. Slack waits three seconds for the answer to a press. */
const claimWithinMs = 1000;
const sweptRows = 1000;

/**
 * Creates a process's memory of deliveries. It holds those of the last hour or two, or only the latest ones if there
 * are very many. `shared`: whether other processes may use the database.
 */
export function createSeenDeliveries(deps: {
  database: Pick<Database, 'queries'>;
  shared: boolean;
  clientId: string;
  now: () => number;
  log: Logger;
}) {
  const { clientId, now, log } = deps;
  const { queries } = deps.database;
  /**
   * The remembered deliveries are in two sets. When `younger` is full or old, it replaces `older`, so Foyer never has
   * to delete single entries.
   */
  let younger = new Set<string>();
  let older = new Set<string>();
  let begunAt = now();
  let batch: { keys: string[]; claimed: Promise<ReadonlySet<string>> } | undefined;

  function isNew(key: string): boolean {
    if (now() - begunAt > keptMs || younger.size >= mostRemembered) {
      older = younger;
      younger = new Set();
      begunAt = now();
    }
    if (younger.has(key) || older.has(key)) return false;
    younger.add(key);
    return true;
  }

  /**
   * Claims the keys that callers add during this turn of the event loop. Resolves to the keys that no process had
   * claimed before. If the database does not answer, resolves to all of them.
   */
  async function claimTogether(keys: string[]): Promise<ReadonlySet<string>> {
    await new Promise(setImmediate);
    batch = undefined;
    try {
      const claim = claimDeliveries(queries, { clientId, keys, now: now() });
      return new Set(await inTime(claim, claimWithinMs, () => new Error('the database is slow')));
    } catch (error) {
      log.warn({ err: error, count: keys.length }, 'it is unknown whether other processes saw a delivery');
      return new Set(keys);
    }
  }

  return {
    /**
     * Records a verified delivery. Returns whether this is the first time that Slack has sent it; returns a promise if
     * the database must be asked.
     */
    isFirst(key: string): boolean | Promise<boolean> {
      if (!isNew(key)) return false;
      if (!deps.shared) return true;
      if (!batch) {
        const keys: string[] = [];
        batch = { keys, claimed: claimTogether(keys) };
      }
      batch.keys.push(key);
      return batch.claimed.then((claimed) => claimed.has(key));
    },
    /** Forgets a delivery, so that it counts as new if Slack sends it again. */
    async forget(key: string): Promise<void> {
      younger.delete(key);
      older.delete(key);
      if (deps.shared) await forgetDelivery(queries, { clientId, key });
    },
    /** Deletes old deliveries from the database: those that Slack will not send again. */
    async sweep(): Promise<void> {
      if (!deps.shared) return;
      const sweep = { clientId, before: now() - keptMs, limit: sweptRows };
      while ((await sweepDeliveries(queries, sweep)) === sweptRows);
    },
  };
}

export type SeenDeliveries = ReturnType<typeof createSeenDeliveries>;
