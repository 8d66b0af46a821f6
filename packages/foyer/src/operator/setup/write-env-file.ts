import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import { CommandError } from '../command-error.ts';

/**
 * Writes variables to the folder's `.env` (mode 0600) in one atomic step. An existing `.env` is first copied to
 * `.env.backup-<time>` (also mode 0600); it keeps its owner and its other lines. A new `.env` starts as `template`.
 * Returns the backup's path, or null if there was no `.env`. Throws the file system's errors, and a CommandError for a
 * value that cannot be written to an `.env`; in both cases `.env` is not changed.
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
  try {
    replaceFile(file, text);
  } catch (error) {
    if (backup !== null) rmSync(backup, { force: true });
    throw error;
  }
  return backup;
}

/** Returns the text of a file; undefined if the file does not exist. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Copies the file to `.env.backup-2026-11-22T01-47-03Z`, and returns that path. A second backup within the same second
 * gets a number.
 */
function keepBackup(file: string, prefix: string, now: number): string {
  const time = `${new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
  for (let number = 1; ; number += 1) {
    const backup = `${prefix}-${time}${number === 1 ? '' : `-${number}`}`;
    try {
      // Creates the backup empty and private first: a direct copy would have the mode of its source.
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
  const before = statSync(file, { throwIfNoEntry: false });
  const handle = openSync(draft, 'wx', 0o600);
  try {
    if (before) keepOwner(handle, before);
    writeSync(handle, text);
    fsyncSync(handle);
    closeSync(handle);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * If root runs setup, keeps the file's earlier owner, so that the user that runs Foyer can still read the file. Only
 * root can change a file's owner.
 */
function keepOwner(handle: number, { uid, gid }: Stats): void {
  try {
    if (process.getuid?.() === 0) fchownSync(handle, uid, gid);
  } catch {
    // In some containers, not even root can change a file's owner. The new file then belongs to root. Foyer can read
    // it, because Foyer runs as root there.
  }
}

/**
 * Sets variables in the text of an `.env` file: replaces existing assignments, appends new ones, and keeps every other
 * line and comment. Verifies that dotenv reads the new values from the new text, and that it still reads the old values
 * of all other variables. Why: dotenv's quoting has no escapes, and a quoted value can extend over the lines below it.
 * @throws CommandError that names a variable whose value cannot be quoted
 */
export function setVariables(envText: string, variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables).reduce((text, [name, value]) => setVariable(text, name, value), envText);
}

function setVariable(envText: string, name: string, value: string): string {
  const expected = { ...parseDotenv(envText), [name]: value };
  if (!value.includes('\r')) {
    for (const written of spellings(value)) {
      const text = assign(envText, name, written);
      if (sameValues(parseDotenv(text), expected)) return text;
    }
  }
  throw new CommandError(
    `${name} cannot be written to .env: its value combines quotes, # or line breaks in a way that .env does not allow. ` +
      'Set the variable in the real environment instead.',
  );
}

/** Returns the ways to write a value, in the order in which `setVariable` tries them. */
function spellings(value: string): string[] {
  const quoted = ["'", '"', '`'].map((quote) => `${quote}${value}${quote}`);
  return /^[A-Za-z0-9_./:@+=,-]*$/.test(value) ? [value, ...quoted] : [...quoted, value];
}

function assign(envText: string, name: string, written: string): string {
  const all = [...envText.matchAll(assignment(name))];
  // If the file assigns the variable more than once, dotenv uses the last assignment.
  const last = all.at(-1);
  if (!last) {
    const gap = envText === '' || envText.endsWith('\n') ? '' : '\n';
    return `${envText}${gap}${name}=${written}\n`;
  }
  const [found, head = '', comment = ''] = last;
  const line = `${head}${written}${comment === '' ? '' : ` ${comment}`}`;
  return envText.slice(0, last.index) + line + envText.slice(last.index + found.length);
}

/** Matches an assignment with its value, which may be quoted over several lines, and the comment after the value. */
function assignment(name: string): RegExp {
  const value = String.raw`(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|${'`'}(?:\\${'`'}|[^${'`'}])*${'`'}|[^#\r\n]*?)`;
  return new RegExp(
    String.raw`^([ \t]*(?:export[ \t]+)?${name}[ \t]*=[ \t]*)${value}[ \t]*(#[^\r\n]*)?$`,
    'gm',
  );
}

function sameValues(read: Record<string, string>, expected: Record<string, string>): boolean {
  const names = Object.keys(expected);
  return names.length === Object.keys(read).length && names.every((name) => read[name] === expected[name]);
}
