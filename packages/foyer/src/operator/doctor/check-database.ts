import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Config } from '../../config/config.ts';
import { findUnwritable, type UnwritablePath } from '../../database/sqlite/find-unwritable.ts';
import { inspectSqlite, readUntouched, type SqliteInspection } from '../../database/sqlite/inspect-sqlite.ts';
import { damagedFix, notADatabaseFix } from '../../database/sqlite/sqlite-file.ts';
import { checkPostgres } from './check-postgres.ts';
import { type DatabaseCheck, schemaFinding, sizeText } from './database-findings.ts';
import { describeAbsentDatabase } from './describe-absent-database.ts';
import { type Finding, findingsOf } from './finding.ts';
import { remountFix, unwritableDetail } from './unwritable-detail.ts';

const database = findingsOf('database');

const megabyte = 1_000_000;

/**
 * Checks that the database can be opened and written, and that its schema is up to date. For a SQLite file, also checks
 * that it is undamaged and that its disk has room. `own` lists the names of the app's own migrations.
 */
export async function checkDatabase(
  { database }: Pick<Config, 'database'>,
  own: readonly string[],
): Promise<DatabaseCheck> {
  return database.kind === 'sqlite' ? checkFile(database.file, own) : checkPostgres(database.url, own);
}

function checkFile(file: string, own: readonly string[]): DatabaseCheck {
  const nothing = { open: undefined, absent: false };
  const absent = describeAbsentDatabase(file);
  if (absent) {
    const { isFault, detail, fix } = absent;
    const finding = isFault ? database.fault(detail, fix) : database.warning(detail, fix);
    return { ...nothing, findings: [finding], absent: true };
  }
  if (!statSync(file).isFile()) {
    const detail = `${file} is not a regular file.`;
    const fix = 'Name a file in DATABASE_URL, such as file:./data/foyer.db.';
    return { ...nothing, findings: [database.fault(detail, fix)] };
  }
  try {
    const inspection = inspectSqlite(file, own);
    const { findings, usable } = judgeDatabase(file, inspection);
    const open = usable ? () => readUntouched(file) : undefined;
    return { findings, open, absent: inspection.isEmpty && inspection.integrity === 'ok' };
  } catch (error) {
    return { ...nothing, findings: [notOpened(file, error)] };
  }
}

/** Result codes of SQLite: BUSY and LOCKED, CORRUPT, and NOTADB. (sqlite.org/rescode.html) */
const busyCodes = [5, 6];
const corruptCode = 11;
const notADatabaseCode = 26;

function notOpened(file: string, error: unknown): Finding {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  if (code === corruptCode) return database.fault(`${file} is damaged: ${reason}.`, damagedFix);
  const detail = `${file} cannot be opened: ${reason}.`;
  if (code === notADatabaseCode) return database.fault(detail, notADatabaseFix);
  // SQLite's error does not name the file that it could not open. It may be the WAL or the WAL's index, which another
  // user may own.
  const unwritable = findUnwritable(file);
  if (unwritable.length > 0) {
    return database.fault(`${detail} ${unwritableDetail(unwritable)}`, writeFix(file, unwritable));
  }
  return database.fault(
    detail,
    busyCodes.includes(code)
      ? 'Another program has locked the file: find that program (fuser, lsof), and stop it.'
      : 'Make sure that this user may read and write the file and its folder.',
  );
}

/** Turns the result of an inspection into findings. `usable` is true if the other checks can read the records. */
export function judgeDatabase(
  file: string,
  inspection: SqliteInspection,
): { findings: Finding[]; usable: boolean } {
  const schema = schemaFinding(inspection);
  return {
    findings: [
      written(file, inspection),
      sound(inspection),
      schema,
      disk(file, inspection),
      wal(file, inspection),
    ],
    usable: inspection.integrity === 'ok' && schema.status === 'ok',
  };
}

function written(file: string, { bytes, unwritable }: SqliteInspection): Finding {
  const { ok, fault } = findingsOf('database');
  if (unwritable.length === 0) return ok(`${file} opens and can be written (${sizeText(bytes)}).`);
  return fault(unwritableDetail(unwritable), writeFix(file, unwritable));
}

function writeFix(file: string, unwritable: readonly UnwritablePath[]): string {
  if (unwritable.some(({ reason }) => reason === 'EROFS')) {
    return remountFix;
  }
  return `Stop Foyer, give the files to the user that runs it (chown USER ${unwritable.map(({ path }) => path).join(' ')}), set the modes (chmod 700 for the folder ${dirname(file)}, 600 for the files), and start Foyer again.`;
}

function sound({ integrity }: SqliteInspection): Finding {
  const { ok, fault } = findingsOf('database-integrity');
  if (integrity === 'ok') return ok('SQLite’s quick_check finds no damage.');
  return fault(`The database is damaged: ${integrity.replace(/\s*\n\s*/g, ' ')}.`, damagedFix);
}

function disk(file: string, { freeBytes, hasNoFileLeft }: SqliteInspection): Finding {
  const { ok, warning, fault } = findingsOf('disk');
  const fix = 'Free space on that disk, or move the database to another one (DATABASE_URL).';
  if (hasNoFileLeft) {
    const detail = `The disk of ${dirname(file)} is full: it has no free inode, so no file can be created.`;
    return fault(
      detail,
      'Delete files that no one needs on that disk (df -i shows how many inodes are free).',
    );
  }
  // With less free space than this, /readyz reports a full disk: its probe writes this much.
  if (freeBytes < 256 * 1024) {
    return fault(`The disk of ${dirname(file)} is full (${sizeText(freeBytes)} free).`, fix);
  }
  const detail = `The database’s disk has ${sizeText(freeBytes)} free.`;
  if (freeBytes < 50 * megabyte) return fault(detail, fix);
  return freeBytes < 500 * megabyte ? warning(detail, fix) : ok(detail);
}

function wal(file: string, { walBytes, isLogWithoutIndex }: SqliteInspection): Finding {
  const { ok, warning } = findingsOf('database-wal');
  if (isLogWithoutIndex) {
    return warning(
      `The database has a write-ahead log (${file}-wal), but ${basename(file)}-shm is missing. These checks did not read that log.`,
      'If the log belongs to this database, start Foyer, which recovers the log. If you restored this database from a backup, the log belongs to the previous database: move the log away before you start Foyer.',
    );
  }
  const detail = `The write-ahead log takes ${sizeText(walBytes)}.`;
  if (walBytes < 100 * megabyte) return ok(detail);
  const fix =
    'A long read keeps SQLite from emptying the log: find the program that reads the database (fuser, lsof), or restart Foyer.';
  return warning(detail, fix);
}
