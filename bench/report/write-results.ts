import type { Findings, Measurement, RunOptions } from '../measurement.ts';
export async function writeResults(
  _m: Measurement,
  _f: Findings,
  _o: RunOptions,
  _out?: string,
): Promise<void> {}
