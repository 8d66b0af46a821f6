import { readFileSync } from 'node:fs';

/** The heap sizes of `npm start`: a measured Foyer has them too. */
export function startFlags(): string[] {
  const file = new URL('../package.json', import.meta.url);
  const { scripts }: { scripts: { start: string } } = JSON.parse(readFileSync(file, 'utf8'));
  return scripts.start.split(' ').filter((word) => word.startsWith('--max-'));
}
