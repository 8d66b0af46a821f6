const baseMs = 500;
const mostMs = 5 * 60_000;

/**
 * How long to wait after the n-th failure: anything up to a limit that doubles from 0.5 s to 5 min. The whole range is
 * random, so that runs which failed together do not come back together.
 */
export function retryDelayMs(failures: number, random: () => number): number {
  const limitMs = Math.min(mostMs, baseMs * 2 ** Math.max(failures - 1, 0));
  return Math.ceil(random() * limitMs);
}
