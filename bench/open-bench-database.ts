import type { Database } from '../packages/foyer/src/database/database.ts';
import { openDatabase } from '../packages/foyer/src/database/open-database.ts';

/** Opens a database of the bench, which is a file or a Postgres URL, and applies Foyer's migrations. */
export function openBenchDatabase(place: string): Promise<Database> {
  const isPostgres = place.startsWith('postgres');
  return openDatabase(isPostgres ? { kind: 'postgres', url: place } : { kind: 'sqlite', file: place });
}
