import { chmodSync, statSync } from 'node:fs';

/**
 * Restricts a file to its owner (mode 0600). Returns whether other users could access the file before. Returns false if
 * there is no such file, and on Windows. If this user may not change the mode, throws an error that contains the
 * command to run.
 */
export function makePrivate(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  // Windows has no Unix file modes, and reports that everyone can access every file.
  if (process.platform === 'win32' || !found || (found.mode & 0o077) === 0) return false;
  try {
    chmodSync(file, 0o600);
  } catch (cause) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw new Error(
      `other users of this machine have access to the file (mode ${mode}), and this user may not change the mode; ` +
        `as the owner of the file or as root, run: chmod 600 '${file}'`,
      { cause },
    );
  }
  return true;
}
