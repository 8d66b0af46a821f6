import { closeSync, openSync, writeSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

/** Overwrites the root page of each of these tables and indexes. No process may have the SQLite file open. */
export function damagePages(file: string, names: readonly string[]): void {
  const sqlite = new Sqlite(file);
  const size = Number(sqlite.pragma('page_size', { simple: true }));
  sqlite.pragma('wal_checkpoint(truncate)');
  const pageOf = sqlite.prepare('select rootpage from sqlite_schema where name = ?').pluck();
  const pages = names.map((name) => Number(pageOf.get(name)));
  sqlite.close();
  const opened = openSync(file, 'r+');
  for (const page of pages) writeSync(opened, Buffer.alloc(size, 0xa5), 0, size, (page - 1) * size);
  closeSync(opened);
}
