import { readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { findUncreatable, type UnwritablePath } from '../../database/sqlite/find-unwritable.ts';
import { remountFix, unwritableDetail } from './unwritable-detail.ts';

/** What to report about a database file that is missing, empty, or cannot be reached. */
interface AbsentDatabase {
  /** True if Foyer could not start, or if starting it would hide that a database was lost. */
  isFault: boolean;
  detail: string;
  fix: string;
}

/**
 * Describes a database file that is missing, empty or unreachable, for `doctor` and all other commands; returns
 * undefined if the file is not empty. If the file is missing but another one next to it, such as a WAL or a key,
 * exists, the database was lost.
 */
export function describeAbsentDatabase(file: string): AbsentDatabase | undefined {
  let found: Stats | undefined;
  try {
    found = statSync(file, { throwIfNoEntry: false });
  } catch {
    return unreachable(file);
  }
  // A pipe or a device has size 0, but is not an empty file.
  if (found && (found.size > 0 || !found.isFile())) return undefined;
  const name = basename(file);
  const names = namesIn(dirname(file));
  const target = found ? undefined : targetOf(file);
  if (target !== undefined) {
    return {
      isFault: true,
      detail: `The database ${file} is a link to ${target}, which does not exist.`,
      fix: 'Mount the disk that the link leads to, or name the database’s file in DATABASE_URL. Do not start Foyer before that: it would create an empty database.',
    };
  }
  const traces = names.filter((each) => each !== name && each.startsWith(name));
  if (traces.length > 0 || found) {
    // A WAL shows that the file was not always empty.
    const mayBeNew = found && !traces.includes(`${name}-wal`);
    return {
      isFault: true,
      detail: `The database ${file} is ${found ? 'empty' : 'gone'}${traces.length > 0 ? `; files beside it: ${traces.join(', ')}` : ''}.`,
      fix: `${mayBeNew ? 'If there never was a database, delete the file. Otherwise do' : 'Do'} not start Foyer, which would create an empty database: put the file back, or restore the newest backup (docs/runbook.md#restore-and-who-is-missing).`,
    };
  }
  const uncreatable = findUncreatable(file);
  if (uncreatable) {
    return {
      isFault: true,
      detail: `There is no database yet at ${file}, and Foyer cannot create it. ${unwritableDetail([uncreatable])}`,
      fix: creationFix(dirname(file), uncreatable),
    };
  }
  return {
    isFault: false,
    detail: `There is no database yet at ${file}.`,
    fix: 'Start Foyer once (npm start) to create the database. If you already have a database, DATABASE_URL names the wrong place.',
  };
}

/** Describes a file in a folder that this user may not enter. */
function unreachable(file: string): AbsentDatabase {
  const uncreatable = findUncreatable(file);
  return {
    isFault: true,
    detail: `The database ${file} cannot be reached.${uncreatable ? ` ${unwritableDetail([uncreatable])}` : ''}`,
    fix: 'Run this as the user that Foyer runs as, or name a file in DATABASE_URL that this user can reach.',
  };
}

/** Returns the target of a symbolic link; undefined if the path is not one. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Says what to change so that Foyer can create its database in `folder`. */
function creationFix(folder: string, { path, reason }: UnwritablePath): string {
  if (reason === 'EROFS') return remountFix;
  const elsewhere = 'name a file in another folder in DATABASE_URL';
  if (reason === 'ENOTDIR') return `Move ${path} away, or ${elsewhere}.`;
  const create = path === folder ? '' : `mkdir -p ${folder}; `;
  return `Give the folder to the user that Foyer runs as (${create}chown USER ${folder}; chmod 700 ${folder}), or ${elsewhere}.`;
}
