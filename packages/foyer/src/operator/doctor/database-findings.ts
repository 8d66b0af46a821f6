import type { Queries } from '../../database/database.ts';
import { unfinishedCopy } from '../../database/open-database.ts';
import { type Finding, findingsOf } from './finding.ts';

/** What `doctor` has found out about a database, and how to open it. */
export interface DatabaseCheck {
  findings: Finding[];
  /** Opens the database to read its records, without changing anything; undefined if they cannot be read. */
  open: (() => ReadableDatabase) | undefined;
  /** Whether there is no database yet: no file, an empty file, or a server's database without Foyer's tables. */
  absent: boolean;
}

/** A database opened only for reading. */
export interface ReadableDatabase {
  queries: Queries;
  close(): Promise<void>;
}

interface SchemaInspection {
  missingMigrations: readonly string[];
  unknownMigrations: readonly string[];
  isUnfinishedCopy: boolean;
  isEmpty: boolean;
  isOfAnother: boolean;
}

const megabyte = 1_000_000;

/**
 * Checks that the schema fits this version of Foyer and of the app, and that the database is not an unfinished copy.
 */
export function schemaFinding(inspection: SchemaInspection): Finding {
  const { ok, warning, fault } = findingsOf('database-schema');
  const { missingMigrations, unknownMigrations, isUnfinishedCopy } = inspection;
  if (isUnfinishedCopy) {
    return fault('The database holds an unfinished copy.', unfinishedCopy('another database'));
  }
  if (inspection.isOfAnother) {
    return fault(
      'The database belongs to another program: it has tables that keep Foyer from creating its own.',
      'Set DATABASE_URL to a database that no other program uses.',
    );
  }
  if (inspection.isEmpty) {
    return warning(
      'There are no Foyer tables yet.',
      'Start Foyer once (npm start) to create them; if there were tables before, DATABASE_URL names the wrong database.',
    );
  }
  if (unknownMigrations.length > 0) {
    const detail = `A newer Foyer, or a newer version of the app, has changed the database (migrations that this version does not know: ${unknownMigrations.join(', ')}).`;
    const isOtherBranch = missingMigrations.length > 0;
    return fault(
      detail,
      isOtherBranch
        ? `This version also has migrations that the database lacks (${missingMigrations.join(', ')}), so this version and the version that changed the database were developed in parallel. Run a version that has the migrations of both.`
        : 'Run that version, or restore the backup that was made before the upgrade.',
    );
  }
  if (missingMigrations.length > 0) {
    const detail = `The database is older than this version (missing migrations: ${missingMigrations.join(', ')}).`;
    return warning(detail, 'Make a backup, and restart Foyer: it brings the database up to date.');
  }
  return ok('The schema is up to date.');
}

/** Formats a size for people: `4.1 MB`, `12 GB`. */
export function sizeText(bytes: number): string {
  if (bytes > 10_000 * megabyte) return `${Math.round(bytes / megabyte / 1000)} GB`;
  return `${(bytes / megabyte).toFixed(bytes < 10 * megabyte ? 1 : 0)} MB`;
}
