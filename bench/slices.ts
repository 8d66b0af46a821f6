import { median, quantile } from 'simple-statistics';

/**
 * Why slices: the bench runs on shared machines, where the speed in one minute says little about the next. In each
 * round, every contender executes one slice of the work, so that a slow moment affects all of them. Only slices of the
 * same round are compared.
 */

/** The results of one slice, by name. */
export type Sample<Name extends string = string> = Readonly<Record<Name, number>>;

/** A summary of many values: the median, and the quartiles around it. */
export interface Figure {
  median: number;
  low: number;
  high: number;
}

export function figureOf(values: readonly number[]): Figure {
  const known = [...values];
  return { median: median(known), low: quantile(known, 0.25), high: quantile(known, 0.75) };
}

/** Divides each value by the value in `others` from the same round, and summarizes the ratios. */
export function pairedRatio(values: readonly number[], others: readonly number[]): Figure {
  return figureOf(values.map((value, slice) => value / (others[slice] ?? Number.NaN)));
}

/**
 * Runs `slices` rounds, after one extra round that warms the contenders up and is not counted. In each round, every
 * contender has one slice. The contender whose turn was second in one round has the first turn in the next.
 */
export async function interleave<Contender extends string, Metric extends string>(
  slices: number,
  contenders: Readonly<Record<Contender, (slice: number) => Promise<Sample<Metric>>>>,
): Promise<Record<Contender, Sample<Metric>[]>> {
  // The type of Object.keys is string[], but these are the contenders' names.
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

export function valuesOf<Metric extends string>(
  samples: readonly Sample<Metric>[],
  metric: Metric,
): number[] {
  return samples.map((sample) => sample[metric]);
}
