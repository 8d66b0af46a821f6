/** A signed request may be five minutes old or five minutes early, so a copy of it is accepted for ten. */
const mostAgeMs = 10 * 60_000;
/** What is remembered is bounded; only requests that Slack has signed get here. */
const mostPresses = 50_000;

/** Knows the presses, commands and dialogs of the last ten minutes. */
export interface SeenPresses {
  /** Notes a verified request by its signature; false if it came before. */
  isFirst(signature: string): boolean;
}

/**
 * Makes the memory that stops a replay: a signed request that someone recorded and sends again has no second effect.
 * Slack itself never sends an interaction twice. The signature covers body and timestamp, so it names the request.
 * Events need no memory: their effects are decided in the database, and Slack does repeat them.
 */
export function createSeenPresses(deps: { now: () => number }): SeenPresses {
  /** Two halves, so that forgetting costs nothing: the older one is dropped when the younger is full or old. */
  let younger = new Set<string>();
  let older = new Set<string>();
  let begunAt = deps.now();
  return {
    isFirst(signature) {
      if (deps.now() - begunAt > mostAgeMs || younger.size >= mostPresses) {
        older = younger;
        younger = new Set();
        begunAt = deps.now();
      }
      if (younger.has(signature) || older.has(signature)) return false;
      younger.add(signature);
      return true;
    },
  };
}
