import { closeSync, openSync, writeSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

/** Overwrites the first page of these tables and indexes of a SQLite file that no process has open. */
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
