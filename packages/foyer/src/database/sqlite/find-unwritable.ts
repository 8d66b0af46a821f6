import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A path that Foyer cannot write to. `reason` is an error code, such as `EACCES`, `EROFS` or `ENOTDIR`, or it is
 * `owner`: the path and the database file belong to different users, and only the path's owner may write to it.
 */
export interface UnwritablePath {
  path: string;
  reason: string;
  mode: number;
  uid: number;
}

/** Finds the paths that Foyer must write to but cannot: the database file, its log, the log's index or their folder. */
export function findUnwritable(file: string): UnwritablePath[] {
  const owner = statSync(file).uid;
  const found: UnwritablePath[] = [];
  for (const path of [file, `${file}-wal`, `${file}-shm`, dirname(file)]) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) continue;
    const isFolder = stats.isDirectory();
    const refusal = refusalOf(path, isFolder);
    const isOthers = !isFolder && stats.uid !== owner && (stats.mode & 0o022) === 0;
    const reason = refusal ?? (isOthers ? 'owner' : undefined);
    if (reason !== undefined) found.push(unwritable(path, reason, stats));
  }
  return found;
}

/**
 * Checks whether this user may create a file, and its folders if they are missing. Returns undefined if so. Otherwise
 * returns the nearest existing path above the file: a folder in which the user may not create anything, or a path that
 * is not a folder. Creates nothing itself.
 */
export function findUncreatable(file: string): UnwritablePath | undefined {
  for (let path = dirname(file); ; path = dirname(path)) {
    const stats = seen(path);
    if (!stats) continue;
    const reason = stats.isDirectory() ? refusalOf(path, true) : 'ENOTDIR';
    return reason === undefined ? undefined : unwritable(path, reason, stats);
  }
}

/**
 * Returns the stats of a path, even of a link to a missing file. Returns undefined if the path does not exist, or if
 * this user may not see it.
 */
function seen(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function unwritable(path: string, reason: string, { mode, uid }: Stats): UnwritablePath {
  return { path, reason, mode: mode & 0o777, uid };
}

function refusalOf(path: string, isFolder: boolean): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | (isFolder ? constants.X_OK : 0));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
