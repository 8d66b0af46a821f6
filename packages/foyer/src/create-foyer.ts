import { createLogger } from './config/log.ts';
import { type FoyerDefinition, resolveConfig } from './define-foyer.ts';
import type { Foyer } from './foyer.ts';

/**
 * Creates Foyer: reads the configuration, and opens and migrates the database. Opens no port, and executes no run
 * before `start` or `drain`.
 * @throws ConfigError with every problem of the environment and the definition, DatabaseUnavailableError,
 *   DatabaseNewerError, KeyringError, OwnMigrationError
 * @example
 * const foyer = await createFoyer(definition);
 * app.use(foyer.middleware);
 * await foyer.start();
 */
export async function createFoyer<MyTables>(definition: FoyerDefinition<MyTables>): Promise<Foyer<MyTables>> {
  const config = resolveConfig(definition);
  // Imported here and not above, because an app's operator commands also import this file, and they need no server.
  const { assembleFoyer } = await import('./assemble-foyer.ts');
  return assembleFoyer({ config, definition, log: createLogger(config) });
}
