import type { Config, FoyerConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { OwnMigrations } from '../database/migrate.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import type { Keyring } from '../installations/keyring.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import type { SetupPrompts } from './setup/setup-prompts.ts';
import type { Output } from './terminal/output.ts';
import type { ProgressLine } from './terminal/progress-line.ts';

/** What the operator's commands stand on. A command asks for no more than it needs: `list` works without a key. */
export interface OperatorDeps {
  output: Output;
  now: () => number;
  /** @throws ConfigError with every fault */
  readConfig: () => Config;
  /** The configuration that the definition gives; undefined where it comes from the environment. */
  givenConfig?: FoyerConfig;
  /** What precedes every path of Foyer's. */
  basePath: string;
  /** `.env` under the environment, not judged. Throws the file system's errors. */
  readEnvironment: () => Readonly<Record<string, string | undefined>>;
  /** PUBLIC_URL alone, for an app that Slack does not know yet. @throws ConfigError */
  readPublicUrl: () => string;
  /** The text of manifest.json. */
  readManifest: () => string;
  /** Opens a database that is there already. @throws CommandError where there is none */
  openDatabase: (target: Config['database']) => Promise<Database>;
  /** The app's own migrations, for a database that a command makes. */
  migrations: OwnMigrations;
  /** The keys that are there; makes none. @throws KeyringError */
  loadKeyring: (config: Config) => Keyring;
  /** The store with the keys that are there. @throws KeyringError */
  openStore: (config: Config, database: Database) => Pick<InstallationStore, 'readInstallation'>;
  /** What uninstalls and erases; it needs no key. */
  openEraser: (
    config: Config,
    database: Database,
  ) => Pick<InstallationStore, 'deleteInstallation' | 'purgeInstallation'>;
  slackClients: (config: Config) => SlackClientFactory;
  /** Asks yes or no; undefined where nobody can answer. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
  /** The questions of `setup`; undefined where nobody can answer. */
  prompts: SetupPrompts | undefined;
  /** All of stdin, for secrets that a script hands over. */
  readStdin: () => Promise<string>;
  progress: ProgressLine;
  /** Where `.env` is read and written: the folder that Foyer is started in. */
  folder: string;
}
