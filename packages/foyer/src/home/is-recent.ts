/**
 * Why some minutes: who opens App Home again and again would otherwise cost a commit each time, to note that they are
 * looking. It stands in a row to these minutes, and whoever reads it allows for them.
 */
export const recentMs = 10 * 60 * 1000;

/** Whether a time is so recent that what was noted then need not be noted anew; a clock that was set back is not. */
export function isRecent(time: number, at: number): boolean {
  const ageMs = at - time;
  return ageMs >= 0 && ageMs < recentMs;
}
