import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder for its owner alone, with those above it, where they are missing. Throws the file system's errors.
 *
 * Why not `mkdirSync` with `recursive`: below a file system that makes no folders (`/proc`) it never ends. There the
 * kernel answers "no such file" to the making itself, which Node takes for a missing parent, and tries again for ever.
 */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process that starts just now may have made it.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
