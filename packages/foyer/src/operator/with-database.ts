import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { OperatorDeps } from './operator-deps.ts';

/** Reads the configuration, opens the database, calls `work`, and closes the database even if `work` fails. */
export async function withDatabase(
  deps: Pick<OperatorDeps, 'readConfig' | 'openDatabase'>,
  work: (config: Config, database: Database) => Promise<void>,
): Promise<void> {
  const config = deps.readConfig();
  const database = await deps.openDatabase(config.database);
  try {
    await work(config, database);
  } finally {
    await database.close();
  }
}
