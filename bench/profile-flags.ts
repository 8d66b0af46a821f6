import { basename, dirname } from 'node:path';

/** The flags that make Node write a CPU profile to a file when it exits cleanly; none for no profile. */
export function profileFlags(file: string | undefined): string[] {
  if (file === undefined) return [];
  return [
    '--cpu-prof',
    '--cpu-prof-interval=200',
    `--cpu-prof-dir=${dirname(file)}`,
    `--cpu-prof-name=${basename(file)}`,
  ];
}
