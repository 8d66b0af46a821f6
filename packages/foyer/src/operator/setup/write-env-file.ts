import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setVariables } from './env-text.ts';

/**
 * Writes variables to the folder's `.env` (mode 0600, whole or not at all). An existing file is backed up as
 * `.env.backup-<time>`, also mode 0600, and its other lines stay; a new file starts as `template`. Returns the backup's
 * path, or null if there was no file. Throws the file system's errors, and a CommandError for a value that no `.env`
 * can hold; then nothing is changed.
 */
export function writeEnvFile(
  folder: string,
  variables: Readonly<Record<string, string>>,
  { template, now }: { template: string; now: number },
): string | null {
  const given = join(folder, '.env');
  const before = readIfThere(given);
  const text = setVariables(before ?? template, variables);
  // If .env is a link, replace its target, not the link.
  const file = before === undefined ? given : realpathSync(given);
  const backup = before === undefined ? null : keepBackup(file, join(folder, '.env.backup'), now);
  replaceFile(file, text);
  return backup;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `.env.backup-2026-11-22T01-47-03Z`; a second one within that second gets a number. */
function keepBackup(file: string, prefix: string, now: number): string {
  const time = `${new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
  for (let number = 1; ; number += 1) {
    const backup = `${prefix}-${time}${number === 1 ? '' : `-${number}`}`;
    try {
      // Created empty and private first: a copy would have the mode of its source.
      closeSync(openSync(backup, 'wx', 0o600));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
      throw error;
    }
    copyFileSync(file, backup, constants.COPYFILE_FICLONE);
    chmodSync(backup, 0o600);
    return backup;
  }
}

function replaceFile(file: string, text: string): void {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
    closeSync(handle);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
