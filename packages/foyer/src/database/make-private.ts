import { chmodSync, statSync } from 'node:fs';

/**
 * Restricts a file to its owner (mode 0600). Returns whether others could reach it before; false if there is no such
 * file, and on Windows. Throws an error with the command to run if this user may not change the mode.
 */
export function makePrivate(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  // Windows has no such modes: it reports that everyone can reach every file.
  if (process.platform === 'win32' || !found || (found.mode & 0o077) === 0) return false;
  try {
    chmodSync(file, 0o600);
  } catch (cause) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw new Error(
      `other users of this machine can reach it (mode ${mode}), and this user may not change that; ` +
        `as its owner or as root, run: chmod 600 '${file}'`,
      { cause },
    );
  }
  return true;
}
