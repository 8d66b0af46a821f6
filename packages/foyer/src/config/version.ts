import { createRequire } from 'node:module';

/** The version of this module, as in its package.json: `0.2.0`. */
export const foyerVersion: string = readVersion();

function readVersion(): string {
  const { version }: { version: string } = createRequire(import.meta.url)('../../package.json');
  return version;
}
