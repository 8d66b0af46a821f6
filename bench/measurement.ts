import type { Figure } from './slices.ts';

/** How a measurement is run. */
export interface RunOptions {
  /** How often each contender has its turn. */
  slices: number;
  /** Sizes so small that nothing is learnt but whether it runs. */
  quick: boolean;
  /** A temporary folder, for databases and the like. */
  folder: string;
  /** Where this contender leaves its CPU profile of this situation; undefined where none is wanted. */
  profileOf(contender: string, situation?: string): string | undefined;
  /** Says what is being done now. */
  say(text: string): void;
}

/** How a row's figure relates to another contender's, slice by slice. */
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
  /** What was seen beside it, such as latencies, each with its unit. */
  beside: Record<string, number>;
}

/** A mark of ours, and what was reached. */
export interface Mark {
  what: string;
  /** In the same unit as `reached`, which is a ratio unless `unit` says otherwise. */
  asked: number;
  reached: number;
  better: 'more' | 'less';
  unit?: string;
}

/** What a measurement found. */
export interface Findings {
  rows: Row[];
  marks: Mark[];
  /** What whoever reads the figures should know, such as which side was the limit. */
  notes: string[];
}

/** One of the seven. */
export interface Measurement {
  name: string;
  /** What is measured, in a sentence. */
  what: string;
  /** It states a fact, for which one pass is enough, whatever the number of slices. */
  onePass?: true;
  run(options: RunOptions): Promise<Findings>;
}

/** Whether a mark is met. */
export function isMet({ asked, reached, better }: Mark): boolean {
  return better === 'more' ? reached >= asked : reached <= asked;
}
