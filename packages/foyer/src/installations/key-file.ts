import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../database/make-folder.ts';
import { makePrivate } from '../database/make-private.ts';
import { syncFolder } from '../database/sync-folder.ts';

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/**
 * Reads a key file (one `id:base64` a line, the first encrypts). Makes it (mode 0600, one new key) if there is none, safe
 * from a power cut. Two processes that start at once end up with the same key. A file that others on this machine could
 * reach is made its owner's alone, and `onExposed` is called. Throws the file system's errors, and one for a line that is
 * no key; it never quotes the file.
 */
export function readKeyFile(file: string, onExposed: () => void): { id: string; base64: string }[] {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) makeKeyFile(file);
  // A pipe would be waited for without an end.
  else if (!found.isFile()) throw new Error('it is a folder or a device; put the file in its place');
  // Also if it was there: the process that made it may have died before its name was safe.
  syncFolder(dirname(file));
  if (makePrivate(file)) onExposed();
  return parse(readFileSync(file, 'utf8'));
}

function parse(text: string): { id: string; base64: string }[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new Error('it is empty; restore it from a backup');
  return lines.map((line, index) => {
    const [, id, base64] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/.exec(line.trim()) ?? [];
    if (id === undefined || base64 === undefined) {
      throw new Error(`its line ${index + 1} is not id:base64-of-32-bytes; restore it from a backup`);
    }
    return { id, base64 };
  });
}

/** Written whole under a name of its own, then linked to the real one: the first link wins, and nobody reads half. */
function makeKeyFile(file: string): void {
  makeFolder(dirname(file));
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  // An id of its own, so that a lost file is told as missing, not as wrong.
  const key = `local-${randomBytes(4).toString('hex')}:${randomBytes(32).toString('base64')}\n`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, key);
    fsyncSync(handle);
    linkSync(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    closeSync(handle);
    unlinkSync(draft);
  }
}
