import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A path that cannot be written. `reason` is an error code, such as `EACCES`, `EROFS` or `ENOTDIR`, or `owner`. `owner`
 * means that the path and the database file belong to different users, and that only the path's owner may write it.
 */
export interface UnwritablePath {
  path: string;
  reason: string;
  mode: number;
  uid: number;
}

/** Finds the paths that Foyer must write but cannot: the database file, its log, the log's index or their folder. */
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
 * Returns undefined if this user may create a file with its missing folders. Otherwise returns the nearest path above
 * the file that exists: a folder in which the user may create nothing, or no folder at all. Creates nothing itself.
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
