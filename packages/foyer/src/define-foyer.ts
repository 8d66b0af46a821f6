import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from '@slack/bolt';
import { checkJobs, type Job } from './chores/jobs.ts';
import { type Config, completeConfig, type FoyerConfig, readConfig } from './config/config.ts';
import { ConfigError, type ConfigProblem } from './config/config-error.ts';
import { type Manifest, parseManifest, readManifest } from './config/manifest.ts';
import type { ConflictRule } from './connections/commit-connection.ts';
import { checkOwnMigrations, type OwnMigrations } from './database/migrate.ts';
import type { NoTables } from './database/own-database.ts';
import { momentKinds } from './database/runs.ts';
import type { Foyer } from './foyer.ts';
import { checkHome, type HomeSection } from './home/home-sections.ts';
import { type Brand, brandProblems } from './http/brand.ts';
import type { Gate } from './install/gate.ts';
import { notifyStepName } from './notices/operator-channel.ts';
import { checkSteps } from './pipeline/check-steps.ts';
import type { Step } from './pipeline/step.ts';
import { builtInSteps } from './steps/steps.ts';
import type { PartialTexts } from './texts/create-texts.ts';
import { textProblems } from './texts/text-problems.ts';

/** The options of an app: everything except its manifest has a default. */
export interface FoyerOptions<MyTables = NoTables> {
  /** The parsed `manifest.json`, or its path or file URL. A path is relative to the folder in which Foyer starts. */
  manifest: unknown;
  /** The result of `readConfig`. If omitted, Foyer calls `readConfig` when it starts. */
  config?: FoyerConfig;
  /** The prefix of all of Foyer's paths, such as `/integrations/slack`. Empty by default. */
  basePath?: string;
  /** The steps of an install, in order; `builtInSteps()` by default. */
  install?: readonly Step[];
  /**
   * The steps of an uninstall, in order; none by default. They run once for each uninstall that takes effect,
   * regardless of its cause, and never for a stale or repeated event. They have no token: `context.slack()` throws.
   */
  uninstall?: readonly Step[];
  /**
   * The steps to run when the app is installed over an existing installation and the bot gets more scopes. In the
   * pipelines `upgraded`, `opened` and `workspaceGranted`, `context.moment` says what happened. A run of these
   * pipelines begins as soon as the install's run has ended, or is waiting for a person or an event.
   * @example upgraded: [startCalendarSync] // its run reads `context.moment.addedScopes`
   */
  upgraded?: readonly Step[];
  /**
   * The steps to run when a member opens the app (its Home or its Messages tab) for the first time since it was
   * installed, for example to post a greeting or an agent's suggested prompts. `context.userId` is the member.
   * @example opened: [greet] // async run({ postOnce }) { return postOnce('greeting', { text: 'Hello!' }); }
   */
  opened?: readonly Step[];
  /**
   * The steps to run for each workspace to which an org-wide install gets access. `context.workspaceId` is the
   * workspace.
   * @example workspaceGranted: [addWorkspace]
   */
  workspaceGranted?: readonly Step[];
  /**
   * Decides within three seconds whether Foyer stores an install that a person approved at Slack. Ready-made:
   * `allowTeams`, `allowEnterprises`, `requireScopes`, `onlyAdmins`.
   */
  gate?: Gate;
  /** What Foyer does if a workspace is already connected to another of your accounts; `refuse` by default. */
  onConflict?: ConflictRule;
  /**
   * User scopes that each member may grant for themselves after the install ("Connect your account" in Home). The
   * install does not ask for these scopes. The manifest must list them under `user` or `user_optional`.
   * @example memberScopes: ['calendar:read'] // then foyer.slack({ teamId }, { userId })
   */
  memberScopes?: readonly string[];
  /** Adds your listeners to the Bolt app, as Bolt's documentation shows. */
  listeners?(app: App, foyer: Foyer<MyTables>): void;
  /** Your own sections of App Home, which appear above the install record. */
  home?: { sections?: readonly HomeSection<Foyer<MyTables>>[] };
  /** Replaces texts that installers and members read, in one language or several. */
  texts?: PartialTexts;
  /** How the app looks and who makes it. The manifest fills in what you omit. */
  brand?: Partial<Brand>;
  /**
   * Kysely migrations of your own tables. They run after Foyer's, in the order of their names, and are recorded in
   * their own table (`app_migration`). Never change, rename or remove a released migration.
   */
  migrations?: OwnMigrations;
  /** Work that runs at most once in each interval, across all machines and restarts; none by default. */
  jobs?: readonly Job<Foyer<MyTables>>[];
}

const optionNames: Readonly<Record<keyof FoyerOptions, true>> = {
  manifest: true,
  config: true,
  basePath: true,
  install: true,
  uninstall: true,
  upgraded: true,
  opened: true,
  workspaceGranted: true,
  gate: true,
  onConflict: true,
  memberScopes: true,
  listeners: true,
  home: true,
  texts: true,
  brand: true,
  migrations: true,
  jobs: true,
};

/** The definition of an app, from `defineFoyer`; the server and the command line share it. */
export interface FoyerDefinition<MyTables = NoTables> extends Readonly<FoyerOptions<MyTables>> {}

/**
 * Defines an app. Does no I/O, so that a server, a command and a test can share the result. Problems of the definition
 * are reported when Foyer starts, together with those of the environment.
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

/** Lists all problems in a definition, each with its fix. */
export function definitionProblems<MyTables>(definition: FoyerDefinition<MyTables>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report = (name: string, problem: string, fix: string) => problems.push({ name, problem, fix });
  for (const name of Object.keys(definition)) {
    if (Object.hasOwn(optionNames, name)) continue;
    report(name, 'is not an option of defineFoyer', `use one of ${Object.keys(optionNames).join(', ')}`);
  }
  const { config, basePath = '', listeners } = definition;
  if (config !== undefined && !isConfig(config)) {
    const fix =
      'give the result of readConfig(), or leave config out, so that Foyer reads the environment at startup';
    report('config', 'is not the configuration that readConfig returns', fix);
  }
  if (
    typeof basePath !== 'string' ||
    !/^(?:\/[A-Za-z0-9._~-]+)*$/.test(basePath) ||
    /\/\.{1,2}(?:\/|$)/.test(basePath)
  ) {
    const fix = 'start it with a slash, and do not end it with one: /integrations/slack; or leave it out';
    const given = typeof basePath === 'string' ? JSON.stringify(basePath) : `a ${typeof basePath}`;
    report('basePath', `is not a path: ${given}`, fix);
  }
  for (const pipeline of ['install', 'uninstall', ...momentKinds] as const) {
    const steps = definition[pipeline];
    if (steps !== undefined) problems.push(...checkSteps(pipeline, steps));
  }
  const { jobs, home, migrations } = definition;
  if (jobs !== undefined) problems.push(...checkJobs(jobs));
  if (home !== undefined) problems.push(...checkHome(home));
  if (migrations !== undefined) problems.push(...checkOwnMigrations(migrations));
  if (listeners !== undefined && typeof listeners !== 'function') {
    report('listeners', 'is not a function', 'give listeners(app, foyer) { … }');
  }
  const { gate, onConflict, memberScopes } = definition;
  if (gate !== undefined && typeof gate !== 'function') {
    const fix = 'give a function gate(candidate) { … }, or a ready-made gate: onlyAdmins()';
    report('gate', 'is not a function', fix);
  }
  if (onConflict !== undefined && !['refuse', 'move', 'share'].includes(onConflict)) {
    const fix = "use 'refuse', 'move' or 'share', or leave it out for 'refuse'";
    report('onConflict', 'is not one of the known rules', fix);
  }
  const isScopeList = (list: unknown): boolean =>
    Array.isArray(list) &&
    list.every((scope) => typeof scope === 'string' && /^[a-z0-9_.:-]{1,100}$/.test(scope));
  if (memberScopes !== undefined && !isScopeList(memberScopes)) {
    const fix = "give a list of Slack's user scopes, such as ['search:read'], or leave it out";
    report('memberScopes', 'is not a list of scopes', fix);
  }
  problems.push(...textProblems(definition.texts), ...brandProblems(definition.brand));
  return problems;
}

/**
 * Whether a value has the parts of a configuration that Foyer reads at every start. Why check: a JavaScript app can
 * pass any value.
 */
function isConfig(given: unknown): boolean {
  const { slack, http, database, secrets } = Object(given) as Partial<FoyerConfig>;
  return [slack, http, database, secrets].every((part) => typeof part === 'object' && part !== null);
}

/**
 * Returns the names of each pipeline's steps, in order. With `notify`, returns the names that a new run gets: if no
 * channel is configured, `notify-operators` is not among them.
 */
export function namesOfSteps<MyTables>(
  { install = builtInSteps(), uninstall, ...moments }: Partial<FoyerDefinition<MyTables>>,
  notify?: Config['notify'],
) {
  const isInRuns = (name: string) =>
    name !== notifyStepName || !notify || notify.slackWebhookUrl !== undefined || notify.mail !== undefined;
  const namesOf = (steps: readonly { name: string }[] = []) => steps.map(({ name }) => name).filter(isInRuns);
  return {
    stepNames: namesOf(install),
    uninstallStepNames: namesOf(uninstall),
    momentStepNames: {
      upgraded: namesOf(moments.upgraded),
      opened: namesOf(moments.opened),
      workspaceGranted: namesOf(moments.workspaceGranted),
    },
  };
}

/** Returns the text of a definition's manifest. @throws ConfigError if the manifest cannot be read or is not JSON */
export function manifestText({ manifest }: Pick<FoyerDefinition, 'manifest'>): string {
  if (typeof manifest === 'string' || manifest instanceof URL) return readManifest(manifest);
  try {
    return JSON.stringify(manifest ?? null) ?? 'null';
  } catch (cause) {
    const fix = 'give the path of manifest.json, or its content as JSON.parse returns it';
    throw new ConfigError([{ name: 'manifest', problem: 'is not JSON', fix }], { cause });
  }
}

/** Returns the file from which Foyer reads a definition's manifest; undefined if the manifest is an object. */
export function manifestFile({ manifest }: Pick<FoyerDefinition, 'manifest'>): string | undefined {
  if (manifest instanceof URL) return fileURLToPath(manifest);
  return typeof manifest === 'string' ? resolve(manifest) : undefined;
}

/**
 * Returns the whole configuration of a definition.
 * @throws ConfigError with every problem of the environment, the manifest and the definition
 */
export function resolveConfig<MyTables>(definition: FoyerDefinition<MyTables>): Config {
  const problems = definitionProblems(definition);
  const config = collect(problems, () => definition.config ?? readConfig());
  const manifest = collect(problems, () => parseManifest(manifestText(definition), problems));
  const { basePath = '', memberScopes = [] } = definition;
  if (manifest && problems.length === 0) problems.push(...unlisted(memberScopes, manifest));
  if (problems.length > 0 || !config || !manifest) throw new ConfigError(problems);
  return completeConfig(config, manifest, { basePath, memberScopes });
}

/** Lists member scopes that the manifest does not list: Slack would refuse them. */
function unlisted(memberScopes: readonly string[], { oauth_config: { scopes } }: Manifest): ConfigProblem[] {
  return memberScopes
    .filter((scope) => !scopes.user.includes(scope) && !scopes.user_optional.includes(scope))
    .map((scope) => ({
      name: 'memberScopes',
      problem: `names ${scope}, which the manifest does not list`,
      fix: `add it to oauth_config.scopes.user_optional in the manifest, and to the app at Slack`,
    }));
}

/**
 * Returns the result of `read`. If `read` throws a ConfigError, adds its problems to the list and returns undefined.
 */
function collect<T>(problems: ConfigProblem[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}
