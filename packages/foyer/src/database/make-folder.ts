import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

/**
 * Makes a folder for its owner alone, with those above it if they are missing, safe from a power cut. Throws the file
 * system's errors.
 *
 * Why not `mkdirSync` with `recursive`: below a file system that makes no folders (`/proc`) it never ends. The kernel
 * answers "no such file" to the making itself, Node takes that for a missing parent, and tries again forever.
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
  syncFolder(parent);
}
