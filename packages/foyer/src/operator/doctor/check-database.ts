import { statSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { inspectSqlite, type SqliteInspection } from '../../database/sqlite/inspect-sqlite.ts';
import { checkPostgres } from './check-postgres.ts';
import { type DatabaseCheck, schemaFinding, sizeText } from './database-findings.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

const megabyte = 1_000_000;

/** Checks that the database opens, is writable, sound and up to date, and has room to grow. */
export async function checkDatabase({ database }: Pick<Config, 'database'>): Promise<DatabaseCheck> {
  return database.kind === 'sqlite' ? checkFile(database.file) : checkPostgres(database.url);
}

function checkFile(file: string): DatabaseCheck {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found || found.size === 0) {
    const finding = warning(
      'database',
      `There is no database yet at ${file}.`,
      'Start Foyer once (npm start) to make it; if there was one, DATABASE_URL names the wrong place.',
    );
    return { findings: [finding], usable: false, absent: true };
  }
  try {
    return { ...judgeDatabase(file, inspectSqlite(file)), absent: false };
  } catch (error) {
    return { findings: [notOpened(file, error)], usable: false, absent: false };
  }
}

function notOpened(file: string, error: unknown): Finding {
  const reason = error instanceof Error ? error.message : String(error);
  const isLocked = error instanceof Error && 'code' in error && /BUSY|LOCKED/.test(String(error.code));
  return fault(
    'database',
    `${file} cannot be opened: ${reason}.`,
    isLocked
      ? 'Another program keeps it for itself: look which it is (fuser, lsof), and end it.'
      : 'See that this user may read and write the file and its folder; if it is damaged, restore a backup.',
  );
}

/** Judges what an inspection found. */
export function judgeDatabase(
  file: string,
  inspection: SqliteInspection,
): { findings: Finding[]; usable: boolean } {
  const findings = [
    written(file, inspection),
    sound(inspection),
    schemaFinding(inspection),
    disk(inspection),
    wal(inspection),
  ];
  const sounds = inspection.integrity === 'ok' && inspection.writeRefusal !== 'SQLITE_READONLY';
  return { findings, usable: sounds && schemaFinding(inspection).status === 'ok' };
}

function written(file: string, { bytes, writeRefusal }: SqliteInspection): Finding {
  const check = 'database';
  if (writeRefusal === null) return ok(check, `${file} opens and can be written (${sizeText(bytes)}).`);
  if (/BUSY|LOCKED/.test(writeRefusal)) {
    const detail = 'Another process held the database’s write lock for half a second.';
    return warning(check, detail, 'Once is nothing; if it stays, look which process it is (fuser, lsof).');
  }
  const detail = `${file} cannot be written (${writeRefusal}).`;
  return fault(
    check,
    detail,
    'Give this user the right to write the file and its folder, and see that the disk is not read-only.',
  );
}

function sound({ integrity }: SqliteInspection): Finding {
  const check = 'database-integrity';
  if (integrity === 'ok') return ok(check, 'SQLite’s quick_check finds no damage.');
  const fix =
    'Stop Foyer, keep the file, and restore the newest backup (npm run foyer -- backup makes them).';
  return fault(check, `The database is damaged: ${integrity}.`, fix);
}

function disk({ freeBytes }: SqliteInspection): Finding {
  const check = 'disk';
  const detail = `${sizeText(freeBytes)} are free on the database’s disk.`;
  const fix = 'Make room on that disk, or move the database to another (DATABASE_URL).';
  if (freeBytes < 50 * megabyte) return fault(check, detail, fix);
  return freeBytes < 500 * megabyte ? warning(check, detail, fix) : ok(check, detail);
}

function wal({ walBytes }: SqliteInspection): Finding {
  const check = 'database-wal';
  const detail = `The write-ahead log has ${sizeText(walBytes)}.`;
  if (walBytes < 100 * megabyte) return ok(check, detail);
  const fix =
    'Something reads the database without end and keeps the log from being emptied: find it, or restart Foyer.';
  return warning(check, detail, fix);
}
