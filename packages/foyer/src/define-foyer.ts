import type { App } from '@slack/bolt';
import { type Config, completeConfig, type FoyerConfig, readConfig } from './config/config.ts';
import { ConfigError, type ConfigFault } from './config/config-error.ts';
import { parseManifest, readManifest } from './config/manifest.ts';
import type { ConflictRule } from './connections/commit-connection.ts';
import type { OwnMigrations } from './database/migrate.ts';
import type { NoTables } from './database/own-database.ts';
import type { Foyer } from './foyer.ts';
import type { HomeSection } from './home/home-sections.ts';
import { type Brand, brandProblems } from './http/brand.ts';
import type { Gate } from './install/gate.ts';
import { checkSteps } from './pipeline/check-steps.ts';
import type { Step } from './pipeline/step.ts';
import { type PartialTexts, textProblems } from './texts/create-texts.ts';

/** What an app says to Foyer: everything but its manifest has a default. */
export interface FoyerOptions<MyTables = NoTables> {
  /** The parsed `manifest.json`; or its path or file URL. A path is relative to the folder that the process is started in. */
  manifest: unknown;
  /** What `readConfig` returns; it is called when Foyer starts unless this is given. */
  config?: FoyerConfig;
  /** Precedes every path of Foyer's, such as `/integrations/slack`. Empty unless given. */
  basePath?: string;
  /** The steps of an install, in order; `builtInSteps()` unless given. */
  install?: readonly Step[];
  /**
   * The steps of an uninstall, in order; none unless given. They run once for each uninstall that is applied, whatever
   * its cause, and never for a stale or repeated event. They have no token: `context.slack()` throws.
   */
  uninstall?: readonly Step[];
  /**
   * Decides about each install after Slack's approval and before anything is stored, within three seconds. Ready-made:
   * `allowTeams`, `allowEnterprises`, `requireScopes`, `onlyAdmins`.
   */
  gate?: Gate;
  /** What happens to a workspace that is already connected with another of your accounts; `refuse` unless given. */
  onConflict?: ConflictRule;
  /** Adds your listeners to the Bolt app, as Bolt's documentation shows. */
  listeners?(app: App, foyer: Foyer<MyTables>): void;
  /** Your own parts of App Home, above the install record. */
  home?: { sections?: readonly HomeSection<Foyer<MyTables>>[] };
  /** Replaces what installers and members read, in one language or several. */
  texts?: PartialTexts;
  /** What the app looks like and who makes it; the manifest says what this does not. */
  brand?: Partial<Brand>;
  /**
   * Kysely migrations of your own tables. They run in the order of their names, after Foyer's, and are recorded apart
   * from Foyer's (`app_migration`). One that was released is never changed, renamed or removed.
   */
  migrations?: OwnMigrations;
}

const optionNames: Readonly<Record<keyof FoyerOptions, true>> = {
  manifest: true,
  config: true,
  basePath: true,
  install: true,
  uninstall: true,
  gate: true,
  onConflict: true,
  listeners: true,
  home: true,
  texts: true,
  brand: true,
  migrations: true,
};

/** Says what an app is. Made by `defineFoyer`; the server and the command line share it. */
export interface FoyerDefinition<MyTables = NoTables> extends Readonly<FoyerOptions<MyTables>> {}

/**
 * Defines an app. Pure: it opens nothing and reads nothing, so that a server, a command and a test can share the
 * result. What is wrong with the definition is reported when Foyer starts, together with what is wrong with the
 * environment.
 *
 * @example
 * export const definition = defineFoyer({
 *   manifest: './manifest.json',
 *   install: [...builtInSteps(), startTrial],
 *   listeners(app) {
 *     app.command('/standup', async ({ ack }) => ack('Good morning!'));
 *   },
 * });
 */
export function defineFoyer<MyTables = NoTables>(options: FoyerOptions<MyTables>): FoyerDefinition<MyTables> {
  return Object.freeze({ ...options });
}

/** Everything that is wrong with a definition, each with its fix. */
export function definitionFaults<MyTables>(definition: FoyerDefinition<MyTables>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  for (const name of Object.keys(definition)) {
    if (Object.hasOwn(optionNames, name)) continue;
    const mend = `use one of ${Object.keys(optionNames).join(', ')}`;
    faults.push({ name, problem: 'is not an option of defineFoyer', mend });
  }
  const { basePath = '', listeners } = definition;
  if (
    typeof basePath !== 'string' ||
    !/^(?:\/[A-Za-z0-9._~-]+)*$/.test(basePath) ||
    /\/\.{1,2}(?:\/|$)/.test(basePath)
  ) {
    const mend = 'begin it with a slash and end it without one: /integrations/slack; or leave it out';
    faults.push({ name: 'basePath', problem: `is not a path: ${JSON.stringify(basePath)}`, mend });
  }
  if (definition.install !== undefined) faults.push(...checkSteps('install', definition.install));
  if (definition.uninstall !== undefined) faults.push(...checkSteps('uninstall', definition.uninstall));
  if (listeners !== undefined && typeof listeners !== 'function') {
    faults.push({
      name: 'listeners',
      problem: 'is not a function',
      mend: 'give listeners(app, foyer) { … }',
    });
  }
  const { gate, onConflict } = definition;
  if (gate !== undefined && typeof gate !== 'function') {
    const mend = 'give gate(candidate) { … }, or one that is ready-made: onlyAdmins()';
    faults.push({ name: 'gate', problem: 'is not a function', mend });
  }
  if (onConflict !== undefined && !['refuse', 'move', 'share'].includes(onConflict)) {
    const mend = "use 'refuse', 'move' or 'share', or leave it out for 'refuse'";
    faults.push({ name: 'onConflict', problem: 'is not one of the known rules', mend });
  }
  faults.push(...textProblems(definition.texts), ...brandProblems(definition.brand));
  return faults;
}

/** The text of a definition's manifest. @throws ConfigError if it is a path that cannot be read */
export function manifestText({ manifest }: Pick<FoyerDefinition, 'manifest'>): string {
  if (typeof manifest === 'string' || manifest instanceof URL) return readManifest(manifest);
  return JSON.stringify(manifest ?? null);
}

/**
 * The whole configuration of a definition.
 * @throws ConfigError with every problem of environment, manifest and definition
 */
export function resolveConfig<MyTables>(definition: FoyerDefinition<MyTables>): Config {
  const faults = definitionFaults(definition);
  const config = collect(faults, () => definition.config ?? readConfig());
  const manifest = collect(faults, () => parseManifest(manifestText(definition), faults));
  if (faults.length > 0 || !config || !manifest) throw new ConfigError(faults);
  return completeConfig(config, manifest, definition.basePath ?? '');
}

/** What `read` returns; or undefined, with the faults that it threw added to the list. */
function collect<T>(faults: ConfigFault[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    faults.push(...error.faults);
    return undefined;
  }
}
