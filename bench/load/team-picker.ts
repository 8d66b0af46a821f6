import { createRandom } from './random.ts';

/** Returns the number of the team that sends the next event. */
export type TeamPicker = () => number;

const busyTeams = 200;

/**
 * warm: a few busy teams, evenly. mixed: all teams by Zipf's law (the n-th busiest sends 1/n as much as the busiest),
 * with the busy teams spread over the ids. cold: each team once, in an order that is bad for every index.
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

/** A step that visits every number below `teams` once before it repeats: a prime, or 1 if the prime divides `teams`. */
function strideFor(teams: number): number {
  const prime = 7919;
  return teams % prime === 0 ? 1 : prime;
}

/**
 * Draws ranks from 0: rank n with a probability in proportion to 1/(n+1), by a binary search in the cumulative sums.
 */
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
