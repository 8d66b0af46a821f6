import { closeSync, fsyncSync, openSync } from 'node:fs';

/** What a file system answers that cannot sync a folder, or does so with every rename. */
const notSupported = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Makes the names in a folder safe from a power cut. Throws the file system's errors.
 *
 * Why: a sync of a file saves what is in it. That the file exists, and under which name, is written in its folder, and a
 * power cut can lose that (man 2 fsync). Call it after a file was made or renamed.
 */
export function syncFolder(folder: string): void {
  // Windows opens no folder, and its file systems log their names.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!notSupported.has(code)) throw error;
  } finally {
    closeSync(handle);
  }
}
