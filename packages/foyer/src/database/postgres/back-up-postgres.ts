import { compareTables, differingTables } from '../copy/compare-tables.ts';
import { copiedTables } from '../copy/copied-tables.ts';
import { copyRows } from '../copy/copy-rows.ts';
import { openSqlite } from '../sqlite/open-sqlite.ts';
import { BackupDamagedError } from '../sqlite/verify-backup.ts';
import { readPostgresSnapshot } from './read-postgres-snapshot.ts';

/**
 * Writes everything that the database holds at one moment into a SQLite file, on which a Foyer can start, and compares
 * the two row by row. Others go on writing meanwhile.
 * @throws DatabaseUnavailableError, BackupDamagedError
 */
export async function backUpPostgres(url: string, file: string): Promise<void> {
  const target = await openSqlite(file);
  try {
    await readPostgresSnapshot(url, async (source) => {
      const tables = await copiedTables(source);
      await copyRows({ source, target, tables });
      const differing = differingTables(await compareTables(source, target.queries, tables));
      if (differing.length === 0) return;
      const names = differing.map(({ table }) => table).join(', ');
      throw new BackupDamagedError(`The copy ${file} differs from the database in ${names}.`);
    });
  } finally {
    await target.close();
  }
}
