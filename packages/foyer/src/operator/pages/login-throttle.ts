import { networkOf } from '../../http/bound-connections.ts';

/**
 * Why two limits: a limit per IP address slows down one attacker, and a limit for all addresses together slows down an
 * attack from many machines. During such an attack, the second limit would also lock out the operator. So two kinds of
 * requests are exempt from it: those from a browser in which someone has entered the password before (a sealed cookie
 * proves that), and those from an address from which someone has logged in before.
 *
 * Each process counts separately. Behind a proxy that distributes requests to several machines, an attacker gets five
 * free attempts on each machine, and then the same growing waits on each. Why the counts are not stored: an attacker
 * could then make Foyer write to the database.
 */

/**
 * After this many wrong passwords from one address, the next attempt must wait one second. Each further wrong password
 * doubles the wait, up to `longestWaitMs`.
 */
const freeFailures = 5;
const longestWaitMs = 15 * 60_000;
/** After this long without a failure, an address starts again at zero. */
const forgottenAfterMs = 3_600_000;
/** After this many failures from all addresses together, only one attempt every `refillMs` is allowed. */
const burst = 50;
const refillMs = 2000;
/**
 * How many addresses and trusted browsers the throttle remembers. At the limit, a new entry replaces the oldest one.
 */
const mostAddresses = 10_000;
const mostTrusted = 100;

/** Where a login attempt comes from: an address, or a browser in which someone has entered the password before. */
type LoginSource = string | { browser: string };

/** Slows down attempts to guess the password. */
interface LoginThrottle {
  /** Returns how long this source must wait before its next attempt, in milliseconds; 0 if it need not wait. */
  waitMs(source: LoginSource): number;
  failed(source: LoginSource): void;
  succeeded(source: LoginSource): void;
}

/** Creates the throttle of one process. */
export function createLoginThrottle(deps: { now: () => number }): LoginThrottle {
  const { now } = deps;
  const failures = new Map<string, { count: number; lastAt: number }>();
  const trusted = new Set<string>();
  /** The number of recent failures from all addresses together. It falls by one every `refillMs`. */
  let level = 0;
  let levelAt = now();

  function currentLevel(): number {
    level = Math.max(0, level - (now() - levelAt) / refillMs);
    levelAt = now();
    return level;
  }

  function ownWaitMs(key: string): number {
    const own = failures.get(key);
    if (!own || own.count < freeFailures) return 0;
    const waitMs = Math.min(longestWaitMs, 1000 * 2 ** (own.count - freeFailures));
    return Math.max(0, own.lastAt + waitMs - now());
  }

  return {
    waitMs(source) {
      const key = keyOf(source);
      const own = ownWaitMs(key);
      if (own > 0 || typeof source === 'object' || trusted.has(key)) return own;
      return Math.max(0, Math.ceil((currentLevel() - burst + 1) * refillMs));
    },

    failed(source) {
      const key = keyOf(source);
      if (typeof source === 'string') level = Math.min(burst, currentLevel() + 1);
      const own = failures.get(key);
      const isForgotten = !own || now() - own.lastAt > forgottenAfterMs;
      failures.delete(key);
      failures.set(key, { count: isForgotten ? 1 : own.count + 1, lastAt: now() });
      dropOldest(failures, mostAddresses);
    },

    succeeded(source) {
      const key = keyOf(source);
      failures.delete(key);
      if (typeof source === 'object') return;
      trusted.delete(key);
      trusted.add(key);
      dropOldest(trusted, mostTrusted);
    },
  };
}

function keyOf(source: LoginSource): string {
  return typeof source === 'string' ? networkOf(source) : `browser ${source.browser}`;
}

function dropOldest(
  entries: { size: number; keys(): Iterator<string>; delete(key: string): boolean },
  most: number,
) {
  if (entries.size <= most) return;
  const oldest = entries.keys().next();
  if (!oldest.done) entries.delete(oldest.value);
}
