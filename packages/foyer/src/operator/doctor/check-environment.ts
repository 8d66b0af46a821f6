import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { misspelledVariables } from '../../config/misspelled-variables.ts';
import { readIfThere } from '../setup/write-env-file.ts';
import { type Finding, findingsOf } from './finding.ts';
import type { Setting } from './read-setting.ts';

/**
 * Reports every problem in the environment that would keep Foyer from starting, and whether other users can read the
 * secrets in `.env`.
 */
export function checkEnvironment({ problems, unreadable }: Setting, folder: string): Finding[] {
  const { ok, fault } = findingsOf('environment');
  if (unreadable !== undefined) {
    const fix = 'Make .env a file that this user can read (chmod 600 .env).';
    return [fault(`.env cannot be read: ${unreadable}`, fix), ...envFile(folder)];
  }
  if (problems.length === 0) return [ok('Every variable is valid.'), ...envFile(folder)];
  const faults = problems.map(({ name, problem, fix }) =>
    fault(`${name} ${problem}.`, `${fix.charAt(0).toUpperCase()}${fix.slice(1)}.`),
  );
  return [...faults, ...envFile(folder)];
}

/** Reports the variables in `.env` that Foyer ignores, probably because their names are misspelled. */
export function checkSpelling(folder: string): Finding[] {
  const { warning } = findingsOf('environment');
  return misspelledVariables(parse(readIfThere(join(folder, '.env')) ?? '')).map(({ name, meant }) =>
    warning(
      `.env sets ${name}, which Foyer does not know.`,
      `If you mean ${meant}, correct the name. If ${name} is a variable of your app, there is nothing to do.`,
    ),
  );
}

function envFile(folder: string): Finding[] {
  const { ok, warning } = findingsOf('env-file');
  const file = statSync(join(folder, '.env'), { throwIfNoEntry: false });
  if (!file || process.platform === 'win32') return [];
  const mode = file.mode & 0o777;
  if ((mode & 0o077) === 0) return [ok('.env can be read only by its owner.')];
  const detail = `.env holds secrets, and other users of this machine can read it (mode ${mode.toString(8)}).`;
  return [warning(detail, 'chmod 600 .env')];
}
