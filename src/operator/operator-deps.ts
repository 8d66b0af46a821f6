import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { InstallationStore } from '../installation-store/installation-store.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import type { Output } from './terminal/output.ts';

/** What the operator's commands stand on. A command asks for no more than it needs: `list` works without a key. */
export interface OperatorDeps {
  output: Output;
  now: () => number;
  /** @throws ConfigError with every fault */
  readConfig: () => Config;
  /** PUBLIC_URL alone, for an app that Slack does not know yet. @throws ConfigError */
  readPublicUrl: () => string;
  /** The text of manifest.json. */
  readManifest: () => string;
  /** Opens a database that is there already. @throws CommandError where there is none */
  openDatabase: (target: Config['database']) => Promise<Database>;
  /** The store with the keys that are there. @throws KeyringError */
  openStore: (config: Config, database: Database) => Pick<InstallationStore, 'readInstallation'>;
  /** Erases an installation; needs no key. Resolves to whether there was one. */
  purgeInstallation: (config: Config, database: Database, installationId: string) => Promise<boolean>;
  slackClients: (config: Config) => SlackClientFactory;
  /** Asks yes or no; undefined where nobody can answer. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
}
