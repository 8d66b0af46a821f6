import type { Figure } from './slices.ts';

export interface RunOptions {
  /** How many turns each contender gets. */
  slices: number;
  /** If true, the sizes are so small that a run shows only whether the bench works. */
  quick: boolean;
  /** A temporary folder, for databases and the like. */
  folder: string;
  /** The path of the contender's CPU profile for a measured situation; undefined if it writes no profile. */
  profileOf(contender: string, situation?: string): string | undefined;
  /** Reports progress. */
  say(text: string): void;
}

/**
 * Compares a row's values with those of another contender, or of another situation. `to` names it. Each slice gives
 * one ratio. The figure is the median and the quartiles of these ratios.
 */
export interface Ratio extends Figure {
  to: string;
}

/** One line of the table: what a contender did in one situation. */
export interface Row {
  situation: string;
  contender: string;
  unit: string;
  figure: Figure;
  ratios: Ratio[];
  /** Additional figures, such as latencies. Each name contains the unit. */
  beside: Record<string, number>;
}

/** A target, and the value that was reached. */
export interface Mark {
  what: string;
  /** The target, in the same unit as `reached`. If `unit` is not set, `asked` and `reached` are ratios. */
  asked: number;
  reached: number;
  better: 'more' | 'less';
  unit?: string;
}

export interface Findings {
  rows: Row[];
  marks: Mark[];
  /** What a reader of the figures should know, such as whether the load generator was the bottleneck. */
  notes: string[];
}

/** One of the bench's seven measurements. */
export interface Measurement {
  name: string;
  /** The heading of the results: what is measured. */
  what: string;
  /** Set if the measurement reports no rate. The bench then makes one pass and ignores `slices`. */
  onePass?: true;
  run(options: RunOptions): Promise<Findings>;
}

export function isMet({ asked, reached, better }: Mark): boolean {
  return better === 'more' ? reached >= asked : reached <= asked;
}
