import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/database/open-database.ts';

let template: Promise<Buffer> | undefined;

/**
 * Creates a SQLite database with Foyer's tables, as `createPostgresDatabase` does on Postgres. A template is
 * migrated once in each process and then copied: the migrations take longer than everything else that a stage needs.
 */
export async function createSqliteDatabase(file: string): Promise<void> {
  template ??= migrateOnce();
  await writeFile(file, await template, { mode: 0o600 });
}

async function migrateOnce(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'foyer-template-'));
  try {
    const file = join(folder, 'foyer.db');
    await (await openDatabase({ kind: 'sqlite', file })).close();
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
