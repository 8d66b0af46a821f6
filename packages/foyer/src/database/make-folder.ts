import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

/**
 * Creates a folder that only its owner can use, and its missing parents. Syncs them to disk, so that they survive a
 * power failure. Throws the file system's errors.
 *
 * Why not `mkdirSync` with `recursive`: in a file system that allows no folders (`/proc`) it never returns. The kernel
 * answers mkdir with "no such file", which Node takes to mean a missing parent, so it retries forever.
 */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process that starts at the same time may have created it.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
  syncFolder(parent);
}
