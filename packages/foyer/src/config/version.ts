import { createRequire } from 'node:module';
import type { ConfigProblem } from './config-error.ts';

const { version, engines }: { version: string; engines: { node: string } } = createRequire(import.meta.url)(
  '../../package.json',
);

/** The version of this module, as in its package.json: `0.2.0`. */
export const foyerVersion = version;

/**
 * Reports a Node that is older than package.json asks for. `npm install` only warns about it, and Node 20 crashes without
 * a message when Foyer opens its database. The commands check this in `require-node.js`, before they load.
 */
export function nodeProblems(): ConfigProblem[] {
  const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
  const [neededMajor = 0, neededMinor = 0] = numbers(engines.node);
  const [major = 0, minor = 0] = numbers(process.versions.node);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return [];
  const problem = `is ${process.versions.node}, but Foyer needs ${neededMajor}.${neededMinor} or newer`;
  return [{ name: 'Node', problem, fix: 'install a newer version from nodejs.org' }];
}
