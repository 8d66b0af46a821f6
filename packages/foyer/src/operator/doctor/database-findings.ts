import { unfinishedCopy } from '../../database/open-database.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** The findings about a database; `usable` if its records can be read. */
export interface DatabaseCheck {
  findings: Finding[];
  usable: boolean;
  /** Nothing was ever stored. */
  absent: boolean;
}

/** What the inspection of either engine finds out about the schema. */
export interface SchemaInspection {
  missingMigrations: readonly string[];
  unknownMigrations: readonly string[];
  isUnfinishedCopy: boolean;
}

const megabyte = 1_000_000;

/** Checks that the schema is this Foyer's and that the database is not an unfinished copy. */
export function schemaFinding(inspection: SchemaInspection): Finding {
  const check = 'database-schema';
  const { missingMigrations, unknownMigrations, isUnfinishedCopy } = inspection;
  if (isUnfinishedCopy) {
    return fault(check, 'The database holds half of a copy.', unfinishedCopy('another database'));
  }
  if (unknownMigrations.length > 0) {
    const detail = `A newer Foyer has changed the database (${unknownMigrations.join(', ')}).`;
    return fault(check, detail, 'Run that version, or restore the backup that was made before the upgrade.');
  }
  if (missingMigrations.length > 0) {
    const detail = `The database is older than this Foyer (it lacks ${missingMigrations.join(', ')}).`;
    return warning(check, detail, 'Make a backup, and restart Foyer: it brings the database up to date.');
  }
  return ok(check, 'The schema is up to date.');
}

/** A size for people: `4.1 MB`, `12 GB`. */
export function sizeText(bytes: number): string {
  if (bytes > 10_000 * megabyte) return `${Math.round(bytes / megabyte / 1000)} GB`;
  return `${(bytes / megabyte).toFixed(bytes < 10 * megabyte ? 1 : 0)} MB`;
}
