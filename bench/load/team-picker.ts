import { createRandom } from './random.ts';

/** Picks the team that sends the next event, and returns its number. Teams are numbered from 0. */
export type TeamPicker = () => number;

const busyTeams = 200;

/**
 * How the events are spread over the teams:
 * - warm: a few busy teams, in turn.
 * - mixed: all teams, at random, by Zipf's law: the n-th busiest team sends 1/n as many events as the busiest. The ids
 *   of the busy teams are far apart.
 * - cold: all teams in turn. The ids of successive teams are far apart, so an index cannot profit from the last lookup.
 */
export function createTeamPicker(kind: 'warm' | 'mixed' | 'cold', teams: number): TeamPicker {
  const stride = strideFor(teams);
  let next = 0;
  if (kind === 'mixed') {
    const rank = createZipf(teams);
    return () => (rank() * stride) % teams;
  }
  const among = kind === 'warm' ? Math.min(busyTeams, teams) : teams;
  return () => ((next++ % among) * stride) % teams;
}

/**
 * The step from one team's number to the next team's. It shares no divisor with `teams` except 1, so each team gets a
 * turn before any team gets a second one.
 */
function strideFor(teams: number): number {
  const prime = 7919;
  return teams % prime === 0 ? 1 : prime;
}

/** Returns a function that picks a rank at random, from 0. The probability of rank n is proportional to 1/(n+1). */
function createZipf(count: number): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += 1 / (rank + 1);
    sums[rank] = sum;
  }
  const random = createRandom(1);
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? sum) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
