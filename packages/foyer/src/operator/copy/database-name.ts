import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseTarget } from '../../config/database-target.ts';
import { serverName } from '../../database/postgres/postgres-pool.ts';

/** Returns a stable name of a database, without its password: the file's full path, or user, host and database. */
export function databaseName(target: DatabaseTarget): string {
  if (target.kind === 'postgres') return serverName(target.url);
  return statSync(target.file, { throwIfNoEntry: false }) ? realpathSync(target.file) : target.file;
}

/** Returns whether both are the same database. Does not recognize two host names of one server as the same. */
export function isSameDatabase(one: DatabaseTarget, other: DatabaseTarget): boolean {
  if (one.kind === 'sqlite' && other.kind === 'sqlite') {
    const files = [resolve(one.file), resolve(other.file)];
    const [found, same] = files.map((file) => statSync(file, { throwIfNoEntry: false }));
    if (found && same) return found.ino === same.ino && found.dev === same.dev;
    return files[0] === files[1];
  }
  if (one.kind === 'postgres' && other.kind === 'postgres') return placeOf(one.url) === placeOf(other.url);
  return false;
}

/** Returns where the database is, regardless of the user; `options` may name another schema of it. */
function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  return JSON.stringify([
    searchParams.get('host') ?? hostname,
    (searchParams.get('port') ?? port) || '5432',
    pathname,
    searchParams.get('options'),
  ]);
}
