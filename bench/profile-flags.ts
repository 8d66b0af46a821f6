import { basename, dirname } from 'node:path';

/** The flags with which Node leaves a CPU profile in a file when it ends in order; none where none is wanted. */
export function profileFlags(file: string | undefined): string[] {
  if (file === undefined) return [];
  return [
    '--cpu-prof',
    '--cpu-prof-interval=200',
    `--cpu-prof-dir=${dirname(file)}`,
    `--cpu-prof-name=${basename(file)}`,
  ];
}
