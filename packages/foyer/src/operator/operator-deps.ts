import type { Config, FoyerConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { OwnMigrations } from '../database/migrate.ts';
import type { Brand } from '../http/brand.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import type { Keyring } from '../installations/keyring.ts';
import type { MomentStepNames } from '../installations/moments.ts';
import type { TokenSource } from '../installations/token-source.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import type { Words } from '../texts/create-texts.ts';
import type { LocalCommands } from './local-commands.ts';
import type { SetupPrompts } from './setup/setup-prompts.ts';
import type { Output } from './terminal/output.ts';
import type { ShowWork } from './terminal/progress-bar.ts';

/** The names of a definition's parts. A support bundle shows them to someone who does not have the app's code. */
export interface DefinitionShape {
  /** The names of the options that the definition sets. */
  options: readonly string[];
  install: readonly string[];
  uninstall: readonly string[];
  /** The names of the steps for each moment, such as `opened`; moments without steps are absent. */
  moments?: MomentStepNames;
  jobs: readonly { name: string; everyMs: number }[];
}

/** The dependencies of the operator's commands. A command uses only what it needs: `list` works without a key. */
export interface OperatorDeps {
  output: Output;
  now: () => number;
  /** @throws ConfigError with every problem */
  readConfig: () => Config;
  definition: DefinitionShape;
  /** The configuration from the definition; undefined if it comes from the environment. */
  givenConfig?: FoyerConfig;
  /** The prefix of every Foyer path, such as `/integrations/slack`; empty if there is none. */
  basePath: string;
  /** The environment merged over `.env`, not validated. @throws ConfigError if `.env` cannot be read */
  readEnvironment: () => Readonly<Record<string, string | undefined>>;
  /** Reads only PUBLIC_URL, for an app that does not exist at Slack yet. @throws ConfigError */
  readPublicUrl: () => string;
  /** Returns whether Sign in with Slack is on. If so, its callback is one of the manifest's redirect URLs. */
  readSignsIn: () => boolean;
  /** Reads the app's look, its English words, and whether it has an uninstall pipeline: `review` reports on these. */
  readPresentation: (config: Config) => { brand: Brand; words: Words; cleansUp: boolean };
  /** The text of manifest.json. */
  readManifest: () => string;
  /** The file of the manifest; undefined if the definition has it as an object. */
  manifestFile?: string | undefined;
  /** The definition's own brand, if it has one: its values override the manifest and the environment. */
  brand?: Partial<Brand> | undefined;
  /** Opens an existing database. @throws CommandError if there is none */
  openDatabase: (target: Config['database']) => Promise<Database>;
  /** The app's own migrations. */
  migrations: OwnMigrations;
  /** Loads the existing keys; creates none. @throws KeyringError */
  loadKeyring: (config: Config) => Keyring;
  /** Opens the store with the existing keys. @throws KeyringError */
  openStore: (config: Config, database: Database) => Pick<InstallationStore, 'readInstallation'>;
  /** Opens the source that renews tokens. @throws KeyringError */
  openTokens: (config: Config, database: Database) => Promise<Pick<TokenSource, 'renewExpired'>>;
  /** Opens the store that records installs, with the steps of the definition. @throws KeyringError */
  openImporter: (config: Config, database: Database) => Pick<InstallationStore, 'recordInstall'>;
  /** Opens the store that uninstalls and erases; needs no key. */
  openEraser: (
    config: Config,
    database: Database,
  ) => Pick<InstallationStore, 'deleteInstallation' | 'purgeInstallation'>;
  slackClients: (config: Config) => Promise<SlackClientFactory>;
  /** Asks the operator a yes-or-no question; undefined if there is no terminal. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
  /** Asks the questions of `setup`; undefined if there is no terminal. */
  prompts: SetupPrompts | undefined;
  /** Reads all of stdin, for secrets that a script passes in. */
  readStdin: () => Promise<string>;
  progress: ShowWork;
  /**
   * What the operator types on this machine to run Foyer's commands. Default: what works in a clone of the repository.
   */
  commands?: LocalCommands;
  /** The folder in which Foyer is started: Foyer reads and writes `.env` there. */
  folder: string;
}
