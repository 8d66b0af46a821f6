import { readFileSync } from 'node:fs';

/** The heap-size flags of `npm start`, so that a measured Foyer has the same limits. */
export function startFlags(): string[] {
  const file = new URL('../package.json', import.meta.url);
  const { scripts }: { scripts: { start: string } } = JSON.parse(readFileSync(file, 'utf8'));
  return scripts.start.split(' ').filter((word) => word.startsWith('--max-'));
}
