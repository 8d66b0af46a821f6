/** Whether to test everything (`npm run test:full`), or only what fits into `npm test`. */
export const isFullRun = process.env.FOYER_FULL === '1';

/** The number for this run: `quick` in `npm test`, `full` in `npm run test:full`. */
export function count(counts: { quick: number; full: number }): number {
  return isFullRun ? counts.full : counts.quick;
}
