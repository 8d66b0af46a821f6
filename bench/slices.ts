import { median, quantile } from 'simple-statistics';

/**
 * Why slices: the machines that this runs on are shared, and a figure of one minute says little about the next. Every
 * contender does a slice of the work in turn, round after round, so that a slow moment falls on all of them; what is
 * compared are the two slices of the same round.
 */

/** What one slice gave, by name. */
export type Sample<Name extends string = string> = Readonly<Record<Name, number>>;

/** Many values in three: the middle one, and the quartiles around it. */
export interface Figure {
  median: number;
  low: number;
  high: number;
}

/** The middle and the quartiles of some values. */
export function figureOf(values: readonly number[]): Figure {
  const known = [...values];
  return { median: median(known), low: quantile(known, 0.25), high: quantile(known, 0.75) };
}

/** How many times the other's each value is, slice by slice. */
export function pairedRatio(values: readonly number[], others: readonly number[]): Figure {
  return figureOf(values.map((value, slice) => value / (others[slice] ?? Number.NaN)));
}

/**
 * Lets each contender do one slice after the other, `slices` times, beginning with another one each time. A first round
 * that is not counted warms them up.
 */
export async function interleave<Contender extends string, Metric extends string>(
  slices: number,
  contenders: Readonly<Record<Contender, (slice: number) => Promise<Sample<Metric>>>>,
): Promise<Record<Contender, Sample<Metric>[]>> {
  // The keys of a record of ours are the names of its contenders.
  const names = Object.keys(contenders) as Contender[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Contender,
    Sample<Metric>[]
  >;
  for (let slice = -1; slice < slices; slice += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + slice + 1) % names.length];
      if (name === undefined) continue;
      const sample = await contenders[name](slice);
      if (slice >= 0) samples[name].push(sample);
    }
  }
  return samples;
}

/** One metric of many samples. */
export function valuesOf<Metric extends string>(
  samples: readonly Sample<Metric>[],
  metric: Metric,
): number[] {
  return samples.map((sample) => sample[metric]);
}
