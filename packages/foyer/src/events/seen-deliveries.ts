import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { claimDeliveries, forgetDelivery, sweepDeliveries } from '../database/seen-deliveries.ts';
import { inTime } from '../http/in-time.ts';

/**
 * Remembers what Slack has delivered, so that listeners receive each delivery once.
 *
 * - **Events**, by their `event_id`: Slack sends an event again if Foyer's answer was lost, late or an error.
 * - **Presses, commands and dialogs**, by their signature, which covers body and timestamp: Slack never sends one
 *   twice, but someone who recorded a signed request can.
 *
 * Why two places: a single process checks only its memory, which costs nothing. On Postgres several processes may share
 * the work, so a process also asks the database about each delivery that it has not seen itself. It claims all
 * deliveries of one turn of the event loop together. If the database does not answer, a delivery counts as new: twice
 * is better than never.
 */

/**
 * How long a delivery is remembered. Slack's last usual retry comes after five minutes, and Foyer accepts a signed
 * request for at most ten minutes.
 */
const keptMs = 60 * 60_000;
/** The most deliveries in each half of a process's memory. Only requests that Slack has signed count. */
const mostRemembered = 50_000;
/** How long the database may take to claim deliveries: Slack waits three seconds for the answer to a press. */
const claimWithinMs = 1000;
const sweptRows = 1000;

/**
 * Creates the memory of a process: its deliveries of the last hour or two, or only the latest ones if there are very
 * many. `shared`: whether other processes may use the database.
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
  /** Two halves, so that forgetting costs nothing: the older one is dropped when the younger is full or old. */
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
   * Claims the keys that are added during this turn of the event loop. Resolves to those that no process had claimed
   * before; to all of them if the database does not answer.
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
     * Records a verified delivery. Returns whether it came for the first time; a promise if the database must be asked.
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
    /** Makes a delivery count as new again. */
    async forget(key: string): Promise<void> {
      younger.delete(key);
      older.delete(key);
      if (deps.shared) await forgetDelivery(queries, { clientId, key });
    },
    /** Deletes from the database the deliveries that are too old to come again. */
    async sweep(): Promise<void> {
      if (!deps.shared) return;
      const sweep = { clientId, before: now() - keptMs, limit: sweptRows };
      while ((await sweepDeliveries(queries, sweep)) === sweptRows);
    },
  };
}

export type SeenDeliveries = ReturnType<typeof createSeenDeliveries>;
