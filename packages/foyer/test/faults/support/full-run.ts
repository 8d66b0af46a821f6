/**
 * True if FOYER_FULL is set, as in CI and in `npm run test:full`. The full form of a test contains its quick form,
 * since CI runs only the full one.
 */
export const isFullRun = process.env.FOYER_FULL !== undefined;

/**
 * With `FOYER_FULL=all`, the tests play every case on Postgres too; the full run plays only some of the cases there.
 */
export const isEveryPoint = process.env.FOYER_FULL === 'all';

/** Returns `quick` in `npm test`, and `full` in `npm run test:full`. */
export function count(counts: { quick: number; full: number }): number {
  return isFullRun ? counts.full : counts.quick;
}
