import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parse as parseDotenv } from 'dotenv';
import { counted } from '../../config/counted.ts';
import { CommandError, UsageError } from '../command-error.ts';
import type { Finding } from '../doctor/finding.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type AppFace, readFace, withFace } from '../setup/app-face.ts';
import { askSettings, SetupCancelledError, type Suggestions } from '../setup/ask-settings.ts';
import { type OfferedApp, offerApp } from '../setup/offer-app.ts';
import { browserProgram, openInBrowser } from '../setup/open-browser.ts';
import {
  clientIdProblem,
  credentialProblem,
  httpAdvice,
  linkNames,
  publicUrlOf,
  publicUrlProblem,
  type Settings,
  setupVariables,
} from '../setup/settings.ts';
import type { SetupPrompts } from '../setup/setup-prompts.ts';
import { writeEnvFile } from '../setup/write-env-file.ts';
import { operatorCommand } from './command-help.ts';
import { findingLines } from './doctor-command.ts';

interface SetupOptions {
  publicUrl?: string;
  clientId?: string;
  production?: boolean;
  secretsStdin?: boolean;
  doctor: boolean;
  open: boolean;
  json?: boolean;
}

/** `setup`: turns a clone into a configured app. */
export function setupCommand(deps: OperatorDeps): Command {
  return operatorCommand('setup', {
    summary: 'create the Slack app, and write .env',
    description:
      'Asks for the name, description, color and links of the app and for its address. Puts them into the manifest, ' +
      'shows the link that creates the Slack app from it, and opens the link if you like. Then asks for the client id ' +
      'and secrets, creates an encryption key if there is none, writes manifest.json and .env (the old .env is ' +
      'backed up, and lines that setup does not write stay), and runs doctor. Current values are the default answers. If you ' +
      'cancel, nothing is written. In a script, pass the public URL and the client id with flags, and the secrets as ' +
      'SLACK_CLIENT_SECRET and SLACK_SIGNING_SECRET in the environment, or with --secrets-stdin. There are no flags for ' +
      'secrets, since every user of the machine can read the arguments of a process, and the shell keeps them in its ' +
      'history. Values that are already in .env need not be passed again.',
    examples: [
      ['setup', 'answer its questions'],
      [
        'setup --public-url https://foyer.example.com --client-id 12.34 --secrets-stdin < secrets',
        'from a script',
      ],
      ['setup --public-url https://new.example.com', 'the address has changed'],
    ],
  })
    .option('--public-url <url>', 'where browsers and Slack will reach Foyer')
    .option('--client-id <id>', 'the app’s Client ID (Basic Information → App Credentials)')
    .option('--production', 'write NODE_ENV=production')
    .option(
      '--secrets-stdin',
      'read SLACK_CLIENT_SECRET=… and SLACK_SIGNING_SECRET=… from stdin, each on its own line',
    )
    .option('--no-open', 'do not offer to open the browser')
    .option('--no-doctor', 'do not run doctor afterward')
    .action((options: SetupOptions) => setup(deps, options));
}

async function setup(deps: OperatorDeps, options: SetupOptions): Promise<void> {
  const environment = await givenEnvironment(deps, options);
  const given = givenSettings(environment, options, deps.prompts !== undefined);
  const { settings, app } = await completeSettings(deps, given, { environment, opens: options.open });
  const { variables, newKeyId } = setupVariables(settings, environment, deps.folder);
  const backup = write(deps, variables, app);
  const findings = options.doctor ? await closingDoctor(deps) : null;
  if (options.json) {
    const envFile = join(deps.folder, '.env');
    const { createAppUrl, manifestFile } = app;
    deps.output.printJson({
      envFile,
      backup,
      manifestFile,
      createAppUrl,
      publicUrl: settings.publicUrl,
      newKeyId,
      doctor: findings,
    });
  } else tellOutcome(deps, settings, { app, backup, newKeyId, port: variables.PORT, findings });
  const problems = (findings ?? []).filter(({ status }) => status === 'fault').length;
  if (problems > 0)
    throw new CommandError(
      `.env is written, and there ${problems === 1 ? 'is' : 'are'} ${counted(problems, 'problem')} to fix.`,
    );
}

/** Reads the environment. With `--secrets-stdin`, reads the secrets from stdin instead. */
async function givenEnvironment(deps: OperatorDeps, options: SetupOptions) {
  const environment = deps.readEnvironment();
  if (!options.secretsStdin) return environment;
  const { SLACK_CLIENT_SECRET, SLACK_SIGNING_SECRET } = parseDotenv(await deps.readStdin());
  if (!SLACK_CLIENT_SECRET || !SLACK_SIGNING_SECRET) {
    throw new UsageError(
      'stdin must contain SLACK_CLIENT_SECRET=… and SLACK_SIGNING_SECRET=…, each on its own line.',
    );
  }
  return { ...environment, SLACK_CLIENT_SECRET, SLACK_SIGNING_SECRET };
}

/**
 * Reads the settings from flags and environment. `interview`: whether `setup` can ask questions on a terminal. If so,
 * this function ignores PUBLIC_URL and a wrong SLACK_CLIENT_ID in the environment, and `setup` asks for each of the two
 * values that no flag sets.
 * @throws UsageError
 */
function givenSettings(
  environment: Readonly<Record<string, string | undefined>>,
  options: SetupOptions,
  interview: boolean,
): Partial<Settings> {
  const publicUrl = options.publicUrl ?? (interview ? undefined : environment.PUBLIC_URL);
  const knownId = environment.SLACK_CLIENT_ID || undefined;
  const asksForId = interview && knownId !== undefined && clientIdProblem(knownId) !== undefined;
  const clientId = options.clientId ?? (asksForId ? undefined : knownId);
  if (publicUrl) refuse('The public URL', publicUrlProblem(publicUrl));
  const given: Partial<Settings> = publicUrl ? { publicUrl: publicUrlOf(publicUrl) } : {};
  const credentials = [
    ['clientId', 'The client id', clientId, clientIdProblem],
    ['clientSecret', 'SLACK_CLIENT_SECRET', environment.SLACK_CLIENT_SECRET, credentialProblem],
    ['signingSecret', 'SLACK_SIGNING_SECRET', environment.SLACK_SIGNING_SECRET, credentialProblem],
  ] as const;
  for (const [name, title, value, problemOf] of credentials) {
    if (!value) continue;
    refuse(title, problemOf(value));
    given[name] = value.trim();
  }
  if (options.production || environment.NODE_ENV === 'production') given.production = true;
  return given;
}

function refuse(what: string, problem: string | undefined): void {
  if (problem !== undefined) throw new UsageError(`${what} cannot be used. ${problem}.`);
}

/**
 * Asks for the settings. If there is no terminal to ask on and a setting is missing, throws a UsageError that names it.
 */
async function completeSettings(
  deps: OperatorDeps,
  given: Partial<Settings>,
  { environment, opens }: { environment: Readonly<Record<string, string | undefined>>; opens: boolean },
): Promise<{ settings: Settings; app: OfferedApp }> {
  const { prompts } = deps;
  const offer = (publicUrl: string, face?: AppFace) => {
    const before = deps.readManifest();
    const manifestText = face ? withFace(before, face) : before;
    return offerApp(deps.folder, manifestText, {
      publicUrl: publicUrl + deps.basePath,
      signsIn: deps.readSignsIn(),
      own: manifestText === before ? undefined : deps.manifestFile,
    });
  };
  if (!prompts) {
    const { publicUrl, clientId, clientSecret, signingSecret, production = false } = given;
    if (!publicUrl || !clientId || !clientSecret || !signingSecret) throw new UsageError(missingText(given));
    const advice = httpAdvice(publicUrl);
    if (advice !== undefined) deps.output.note(advice);
    return {
      settings: { publicUrl, clientId, clientSecret, signingSecret, production, links: {} },
      app: offer(publicUrl),
    };
  }
  let takeBack = (): string => 'Nothing was changed.';
  try {
    const suggested = suggestions(deps, environment);
    return await askSettings(prompts, given, suggested, async (publicUrl, face, confirm) => {
      if (face) tellLeftovers(deps, prompts, face);
      const app = offer(publicUrl, face);
      takeBack = app.takeBack;
      prompts.tell('Create the app', appLines(app));
      const program = opens ? browserProgram(process.platform, environment) : undefined;
      if (program !== undefined && (await confirm('Open this link in your browser?', true)))
        openInBrowser(app.createAppUrl, program);
      return app;
    });
  } catch (error) {
    const outcome = takeBack();
    throw error instanceof SetupCancelledError ? new CommandError(`Canceled. ${outcome}`) : error;
  }
}

function suggestions(
  deps: OperatorDeps,
  environment: Readonly<Record<string, string | undefined>>,
): Suggestions {
  const ofBrand = { PRIVACY_URL: deps.brand?.privacyUrl, SUPPORT_URL: deps.brand?.supportUrl };
  const asked = linkNames.filter((name) => (ofBrand[name] ?? null) === null);
  return {
    publicUrl: environment.PUBLIC_URL?.trim() || 'http://localhost:3000',
    face: deps.manifestFile === undefined ? undefined : readFace(deps.readManifest()),
    links: Object.fromEntries(asked.map((name) => [name, environment[name]?.trim() ?? ''])),
  };
}

/**
 * Tells the operator what `setup` does not change: the places where the app's old name remains, and the settings of the
 * brand that override the operator's answers.
 */
function tellLeftovers(
  { brand = {}, readManifest }: OperatorDeps,
  prompts: SetupPrompts,
  face: AppFace,
): void {
  const before = readFace(readManifest());
  const overrides = (['name', 'tagline', 'color'] as const).filter((part) => brand[part] !== undefined);
  const lines = [
    ...(face.name !== before.name && before.longDescription.includes(before.name)
      ? [
          `long_description in manifest.json still mentions ${before.name}. Slack and the install page show it, so write a description of your own.`,
        ]
      : []),
    ...(overrides.length > 0
      ? [
          `The definition sets brand.${overrides.join(', brand.')}: Foyer’s pages show the definition’s values instead of your answers.`,
        ]
      : []),
  ];
  if (lines.length > 0) prompts.tell('Still to change', lines.join('\n'));
}

function appLines({ createAppUrl, manifestFile }: OfferedApp): string {
  return [
    'Open this link, choose a workspace, and press Create:',
    '',
    createAppUrl,
    '',
    `Or: api.slack.com/apps → Create New App → From a manifest, and paste ${manifestFile}.`,
    'If the app exists already, paste that file into the app’s App Manifest page.',
  ].join('\n');
}

function missingText(given: Partial<Settings>): string {
  const sources: Readonly<Record<string, string>> = {
    publicUrl: '--public-url',
    clientId: '--client-id',
    clientSecret: 'SLACK_CLIENT_SECRET (environment or --secrets-stdin)',
    signingSecret: 'SLACK_SIGNING_SECRET (environment or --secrets-stdin)',
  };
  const missing = Object.entries(sources).filter(([name]) => !(name in given));
  return `There is no terminal to ask on, and setup still needs ${missing.map(([, source]) => source).join(', ')}.`;
}

function write(deps: OperatorDeps, variables: Record<string, string>, app: OfferedApp): string | null {
  const example = join(deps.folder, '.env.example');
  const template = existsSync(example) ? readFileSync(example, 'utf8') : '';
  try {
    return writeEnvFile(deps.folder, variables, { template, now: deps.now() });
  } catch (error) {
    const outcome = app.takeBack();
    const reason = error instanceof Error ? error.message : String(error);
    const text = error instanceof CommandError ? reason : `.env could not be written: ${reason}.`;
    throw new CommandError(`${text} ${outcome}`, { cause: error });
  }
}

/**
 * Runs `doctor`. If Foyer does not answer at the public URL, that is only a warning here: Foyer may not be running yet.
 * The fix then is to start it, unless PORT is wrong: a PORT in the real environment overrides the one in `.env`.
 */
async function closingDoctor(deps: OperatorDeps): Promise<Finding[]> {
  const { runDoctor } = await import('../doctor/run-doctor.ts');
  const findings = await runDoctor(deps);
  return findings.map((finding) =>
    finding.check === 'public-url' && finding.status === 'fault' && finding.detail.includes('/healthz')
      ? {
          ...finding,
          status: 'warning',
          fix: finding.fix?.includes('PORT=')
            ? finding.fix
            : 'Start Foyer (npm start), and run `npm run foyer -- doctor` again.',
        }
      : finding,
  );
}

function tellOutcome(
  { output, basePath }: OperatorDeps,
  settings: Settings,
  outcome: {
    app: OfferedApp;
    backup: string | null;
    newKeyId: string | null;
    port: string | undefined;
    findings: Finding[] | null;
  },
): void {
  const { app, backup, newKeyId, port, findings } = outcome;
  const lines = [
    `Wrote .env${backup === null ? '' : ` (the old one is kept as ${backup})`}${app.ownFile === undefined ? '' : `, ${app.ownFile}`} and ${app.manifestFile}.`,
    ...(port === undefined ? [] : [`PORT is now ${port}, as in the public URL.`]),
    ...(newKeyId === null
      ? []
      : [
          `A new encryption key, ${newKeyId}, is in .env: keep a copy in a safe place. Without it the stored tokens are lost.`,
        ]),
    ...(findings === null ? [] : ['', findingLines(output, findings)]),
    '',
    `Next: start Foyer (npm start), and open ${settings.publicUrl}${basePath}`,
    'Before others install it: turn on public distribution (api.slack.com/apps, your app, Manage Distribution).',
    'Until then Slack refuses every workspace but your own. To check, install the app in a second workspace too:',
    '`npm run foyer -- list` then shows both workspaces.',
  ];
  output.print(lines.join('\n'));
}
