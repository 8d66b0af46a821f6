import { basename, dirname } from 'node:path';

/** The flags that make Node write a CPU profile to `file` when it exits cleanly; without a file, an empty list. */
export function profileFlags(file: string | undefined): string[] {
  if (file === undefined) return [];
  return [
    '--cpu-prof',
    '--cpu-prof-interval=200',
    `--cpu-prof-dir=${dirname(file)}`,
    `--cpu-prof-name=${basename(file)}`,
  ];
}
