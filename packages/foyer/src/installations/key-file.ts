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
 * Reads a key file (one `id:base64` per line; the first encrypts). If there is none, creates one (mode 0600, one new
 * key) that survives a power failure. Two processes that start at once get the same key. If others on this machine
 * could reach the file, restricts it to its owner and calls `onExposed`. Throws the file system's errors, and an error
 * for a line that is not a key; no error quotes the file.
 */
export function readKeyFile(file: string, onExposed: () => void): { id: string; base64: string }[] {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) makeKeyFile(file);
  // Reading a pipe would wait forever.
  else if (!found.isFile()) throw new Error('it is a folder or a device; put the file in its place');
  // Also for an existing file: the process that created it may have died before its name was on disk.
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

/** Writes the file under a temporary name, then links it to the real one: the first link wins, no one reads half. */
function makeKeyFile(file: string): void {
  makeFolder(dirname(file));
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  // A random id, so that a lost file is reported as a missing key, not as a wrong one.
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
