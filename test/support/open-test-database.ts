import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/database/database.ts';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';

/** A real database of its own in a temporary place; another engine's harness gives the same. */
export interface TestDatabase {
  database: Database;
  /** The file of an engine that keeps one. */
  file: string;
  /** A further connection to the same database; closed with it. */
  reopen(): Promise<Database>;
  /** Everything that lies on disk: the file, its WAL, and what else an engine writes. */
  rawBytes(): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens a fresh SQLite database in a temporary folder, which `close` removes. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'foyer-test-'));
  const file = join(folder, 'foyer.db');
  const opened: Database[] = [];
  const open = async (): Promise<Database> => {
    const database = await openSqlite(file);
    opened.push(database);
    return database;
  };
  return {
    database: await open(),
    file,
    reopen: open,
    async rawBytes() {
      const parts = await Promise.all(
        ['', '-wal', '-shm'].map((suffix) => readFile(file + suffix).catch(() => Buffer.alloc(0))),
      );
      return Buffer.concat(parts);
    },
    async close() {
      await Promise.all(opened.map((database) => database.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
