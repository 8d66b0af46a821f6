import { sql } from 'kysely';
import { compareTables, differingTables } from '../copy/compare-tables.ts';
import { clearRows, countRows, matchTables } from '../copy/copied-tables.ts';
import { CopyError } from '../copy/copy-mark.ts';
import { copyRows } from '../copy/copy-rows.ts';
import type { BackupProgress, Queries } from '../database.ts';
import { OwnMigrationError, type OwnMigrations } from '../migrate.ts';
import { openSqlite } from '../sqlite/open-sqlite.ts';
import { BackupDamagedError } from '../sqlite/verify-backup.ts';
import { peekPostgres } from './inspect-postgres.ts';

/**
 * Copies everything that the database contains at one moment to a SQLite file, which Foyer can then use as its
 * database. Compares the file with the database by a checksum over every row. Other processes can keep writing.
 * @throws DatabaseUnavailableError, BackupDamagedError, CopyError
 */
export async function backUpPostgres(given: {
  url: string;
  file: string;
  migrations?: OwnMigrations | undefined;
  onProgress?: ((progress: BackupProgress) => void) | undefined;
}): Promise<void> {
  const { url, file, migrations = {}, onProgress } = given;
  const target = await openSqlite(file, { migrations }).catch((error: unknown) => {
    throw error instanceof OwnMigrationError ? notForSqlite(error) : error;
  });
  try {
    await readPostgresSnapshot(url, async (source) => {
      const tables = await matchTables(source, target.queries);
      // The app's migrations may have inserted rows into the new file. The copy inserts the same rows, so delete them.
      await clearRows(target, tables);
      const counts = onProgress ? await countRows(source, tables) : [];
      const of = counts.reduce((sum, { rows }) => sum + rows, 0);
      let done = 0;
      await copyRows({
        source,
        target,
        tables,
        onRows(rows) {
          done += rows;
          onProgress?.({ done, of, unit: 'rows' });
        },
      });
      const differing = differingTables(await compareTables(source, target.queries, tables));
      if (differing.length === 0) return;
      const names = differing.map(({ table }) => table).join(', ');
      throw new BackupDamagedError(`The copy ${file} differs from the database in these tables: ${names}.`);
    });
  } finally {
    await target.close();
  }
}

function notForSqlite({ migration, cause }: OwnMigrationError): CopyError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message =
    `A backup of Postgres is a SQLite file, and the app's migration ${migration} does not run on SQLite: ${reason}. ` +
    'Change the migration so that it runs on Postgres and on SQLite, or back up with pg_dump.';
  return new CopyError('table_refused', message, { cause });
}

/**
 * A repeatable-read transaction sees only what was committed when its first query began. It neither blocks another
 * transaction nor waits for one.
 */
const begin = [
  'begin isolation level repeatable read, read only',
  'set local statement_timeout = 0',
  'set local idle_in_transaction_session_timeout = 0',
].join('; ');

/**
 * Runs `work` on one consistent snapshot of the database, without a time limit. Other processes can keep writing.
 * @throws DatabaseUnavailableError, also if the connection is lost: a new connection would see another snapshot
 */
function readPostgresSnapshot<T>(url: string, work: (snapshot: Queries) => Promise<T>): Promise<T> {
  return peekPostgres(url, async (snapshot) => {
    await sql.raw(begin).execute(snapshot);
    return work(snapshot);
  });
}
