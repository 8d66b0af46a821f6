import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseTarget } from '../../config/database-target.ts';
import { serverName } from '../../database/postgres/postgres-pool.ts';

/** A database by a name that stays the same, without a password: the file's full path, or user, host and database. */
export function databaseName(target: DatabaseTarget): string {
  if (target.kind === 'postgres') return serverName(target.url);
  return statSync(target.file, { throwIfNoEntry: false }) ? realpathSync(target.file) : target.file;
}

/** Whether both are the same one, as far as their names tell: two names of a server may lead to one database. */
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

/** Where it is, whoever asks; `options` may name another schema of the same database. */
function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  return JSON.stringify([
    searchParams.get('host') ?? hostname,
    (searchParams.get('port') ?? port) || '5432',
    pathname,
    searchParams.get('options'),
  ]);
}
