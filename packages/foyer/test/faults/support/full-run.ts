/**
 * Whether to test what fits into CI (`npm run test:full`), or only what fits into `npm test`. The full form of a test
 * contains its quick form, since CI runs the full one alone.
 */
export const isFullRun = process.env.FOYER_FULL !== undefined;

/** With `FOYER_FULL=all`, Postgres plays every point too, where the full run plays one in three. */
export const isEveryPoint = process.env.FOYER_FULL === 'all';

/** The number for this run: `quick` in `npm test`, `full` in `npm run test:full`. */
export function count(counts: { quick: number; full: number }): number {
  return isFullRun ? counts.full : counts.quick;
}
