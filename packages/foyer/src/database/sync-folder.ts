import { closeSync, fsyncSync, openSync } from 'node:fs';

/** The error codes of file systems that cannot sync a folder, or that sync a folder at every rename. */
const notSupported = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Makes the names of the files in a folder survive a power failure. Call it after a file was created or renamed. Throws
 * the file system's errors.
 *
 * Why: syncing a file saves only its content. The folder stores that the file exists and what its name is, and a power
 * failure can lose this entry (man 2 fsync).
 */
export function syncFolder(folder: string): void {
  // Windows cannot open a folder. It does not need this sync, because its file systems record file names in a journal.
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
