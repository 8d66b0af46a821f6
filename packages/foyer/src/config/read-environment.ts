import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { ConfigError } from './config-error.ts';

/**
 * Adds `.env` (if there is one) to the environment; real variables win over it.
 * @throws ConfigError if it exists and cannot be read; its cause is the file system's error
 */
export function withDotenv(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...parse(readDotenv()), ...environment };
}

function readDotenv(): string {
  try {
    const text = readFileSync('.env', 'utf8');
    // Windows may save UTF-16: no variable would be found in it, and each would be reported as missing.
    if (text.includes('\0')) throw new Error('it is not UTF-8 text');
    return text;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    const fault = {
      name: '.env',
      problem: `exists but cannot be read: ${message}`,
      fix: 'run this as the user that Foyer runs as, or make .env a UTF-8 file that this user can read (it holds secrets)',
    };
    throw new ConfigError([fault], { cause });
  }
}
