/**
 * Why two brakes: one for each address stops a person who guesses, and one for all of them stops many machines that
 * guess together. The second would also lock out the operator while such an attack lasts, so it lets addresses pass
 * from which somebody has logged in before.
 *
 * Each process counts for itself. Behind a proxy that sends a visitor to any of several machines, a person who guesses
 * has as many times the tries as there are machines: five more for free on each, and then on each the same growing
 * waits. Why not stored: a counter in the database would let everybody who guesses write to it.
 */

/** So many wrong passwords cost an address nothing; after that each doubles the wait. */
const freeFailures = 5;
const longestWaitMs = 15 * 60_000;
/** An address without a failure for this long starts anew. */
const forgottenAfterMs = 3_600_000;
/** So many failures of all addresses together are let pass at once, and after that one in each `refillMs`. */
const burst = 50;
const refillMs = 2000;
/** What is remembered is bounded: the oldest entry makes room. */
const mostAddresses = 10_000;
const mostTrusted = 100;

/** Slows down who guesses the password. */
export interface LoginThrottle {
  /** How long this address has to wait before its next try, in milliseconds; 0 for not at all. */
  waitMs(address: string): number;
  failed(address: string): void;
  succeeded(address: string): void;
}

/** Makes the throttle of one process: it knows nothing of what others have seen. */
export function createLoginThrottle(deps: { now: () => number }): LoginThrottle {
  const { now } = deps;
  const failures = new Map<string, { count: number; lastAt: number }>();
  const trusted = new Set<string>();
  /** Failures of all addresses, leaking away with time. */
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
    waitMs(address) {
      const key = networkOf(address);
      const own = ownWaitMs(key);
      if (own > 0 || trusted.has(key)) return own;
      return Math.max(0, Math.ceil((currentLevel() - burst + 1) * refillMs));
    },

    failed(address) {
      const key = networkOf(address);
      level = Math.min(burst, currentLevel() + 1);
      const own = failures.get(key);
      const isForgotten = !own || now() - own.lastAt > forgottenAfterMs;
      failures.delete(key);
      failures.set(key, { count: isForgotten ? 1 : own.count + 1, lastAt: now() });
      dropOldest(failures, mostAddresses);
    },

    succeeded(address) {
      const key = networkOf(address);
      failures.delete(key);
      trusted.delete(key);
      trusted.add(key);
      dropOldest(trusted, mostTrusted);
    },
  };
}

function dropOldest(
  entries: { size: number; keys(): Iterator<string>; delete(key: string): boolean },
  most: number,
) {
  if (entries.size <= most) return;
  const oldest = entries.keys().next();
  if (!oldest.done) entries.delete(oldest.value);
}

/** Whoever has one IPv6 address has all of its /64. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '');
  const [head = '', tail] = address.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}
