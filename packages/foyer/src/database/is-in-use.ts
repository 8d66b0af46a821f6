import type { DatabaseTarget } from '../config/database-target.ts';
import { isPostgresInUse } from './postgres/is-postgres-in-use.ts';
import { isSqliteInUse } from './sqlite/is-sqlite-in-use.ts';

/** Whether a Foyer, or a command, has the database open. It must not be open here. @throws DatabaseUnavailableError */
export async function isInUse(target: DatabaseTarget): Promise<boolean> {
  return target.kind === 'sqlite' ? isSqliteInUse(target.file) : isPostgresInUse(target.url);
}
