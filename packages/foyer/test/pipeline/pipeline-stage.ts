import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Installation } from '@slack/oauth';
import { WebClient } from '@slack/web-api';
import { createSandbox, type Sandbox } from 'slack-sandbox';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { createLogger, createScrubber } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import { type RunRecord, readRun } from '../../src/database/install-record.ts';
import { claimDueRuns } from '../../src/database/run-leases.ts';
import { namesOfSteps } from '../../src/define-foyer.ts';
import type { PublishHome } from '../../src/home/publish-home.ts';
import {
  createInstallationStore,
  type InstallationStore,
  type RecordedInstall,
} from '../../src/installations/create-installation-store.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { runPipeline } from '../../src/pipeline/run-pipeline.ts';
import type { Step } from '../../src/pipeline/step.ts';
import type { PipelineDeps } from '../../src/pipeline/step-context.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { builtInSteps } from '../../src/steps/steps.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { engines } from '../support/open-test-database.ts';
import { inviteStrangers, type Strangers } from '../support/strangers.ts';
import { brandOf, texts } from '../support/test-face.ts';

const redirectUri = 'http://127.0.0.1:9/slack/oauth_redirect';

/** Who installs where, and with which scopes. */
export interface InstallWish {
  workspace?: string;
  /** Installs in the whole org that the workspace belongs to. */
  orgWide?: boolean;
  who?: string;
  scopes?: string[];
}

/** The pipeline with its own database, its own Slack, and a clock that moves only in `pass` and `finish`. */
export interface PipelineStage {
  sandbox: Sandbox;
  database: Database;
  /** The path of the database file, on SQLite. */
  databaseFile: string;
  /** Opens another connection to the database, as another machine would. */
  reopen(): Promise<Database>;
  config: Config;
  store: InstallationStore;
  /** Opens a store on this connection to the database, as another machine would. */
  openStore(database: Database): InstallationStore;
  deps: PipelineDeps;
  /** The ids of installations whose token was reported dead. */
  deadTokens: string[];
  logged(): string;
  now(): number;
  /** Advances the clocks of Foyer and Slack. */
  pass(ms: number): Promise<void>;
  /** Installs as a person would: consent, code, tokens, store. */
  install(wish?: InstallWish): Promise<RecordedInstall & { userId: string; teamId: string }>;
  /** Works on each due run until the run ends or waits, or `stop` is aborted; returns the number of runs. */
  work(deps?: Partial<PipelineDeps>, stop?: AbortSignal): Promise<number>;
  /** Works on a run until it ends or waits for an event. Advances the clock whenever the run waits for a time. */
  finish(runId: string, deps?: Partial<PipelineDeps>): Promise<RunRecord>;
  run(runId: string): Promise<RunRecord>;
  /** The number of welcomes in a person's DM. */
  welcomes(install: { teamId: string; userId: string }): number;
}

const manifestText = fixtureManifest;

/** Sets up a stage, and closes it when the test ends. */
export async function setStage(
  t: TestContext,
  options: {
    engine?: keyof typeof engines;
    steps?: readonly Step[];
    uninstallSteps?: readonly Step[];
    momentSteps?: PipelineDeps['momentSteps'];
    environment?: Record<string, string>;
    realTime?: boolean;
  } = {},
): Promise<PipelineStage> {
  let time = Date.UTC(2026, 6, 1, 12);
  const now = options.realTime ? Date.now : () => time;
  const manifest = JSON.parse(manifestText);
  // Allows the person to write in the DM, so that tests can fill the DM with the person's messages.
  manifest.features.app_home.messages_tab_read_only_enabled = false;
  const sandbox = await createSandbox({
    manifest,
    redirectUrls: [redirectUri],
    eventUrl: 'http://127.0.0.1:9/slack/events',
    readNow: now,
  });
  const opened = await engines[options.engine ?? 'SQLite']();
  const { database, target } = opened;
  const struck = new AbortController();
  let strangers: Strangers | undefined;
  t.after(async () => {
    // If a test killed a "process", the work of that process never ends, and would keep the test process alive.
    struck.abort();
    try {
      await strangers?.assertUntouched();
    } finally {
      await opened.close();
      await sandbox.close();
    }
  });

  const config = configFor(sandbox, options.environment);
  const lines: string[] = [];
  const log = createLogger(
    { ...config, logLevel: 'debug' },
    {
      destination: new Writable({ write: (chunk, _encoding, done) => done(void lines.push(String(chunk))) }),
    },
  );
  const pipelineSteps = options.steps ?? builtInSteps();
  const keyring = createKeyring([{ id: 'test', base64: Buffer.alloc(32, 7).toString('base64') }]);
  const { uninstallSteps = [], momentSteps = {} } = options;
  const pipelines = namesOfSteps({ install: pipelineSteps, uninstall: uninstallSteps, ...momentSteps });
  const { clientId } = config.slack;
  const openStore = (of: Database) =>
    createInstallationStore({
      ...{ database: of, keyring, clientId, ...pipelines, now, log },
    });
  const store = openStore(database);
  strangers = await inviteStrangers(database, {
    ...{ clientId, keyring, teamId: sandbox.workspace('Acme').id },
    userIds: [sandbox.person('Acme', 'owner').id, sandbox.person('Acme', 'admin').id],
  });
  const deadTokens: string[] = [];
  const slackClient = createSlackClientFactory({ config, log });

  const publishHome: PublishHome = async () => ({ published: true, reason: 'sent' });
  const deps: PipelineDeps = {
    database,
    steps: pipelineSteps,
    uninstallSteps,
    momentSteps,
    services: { config, publishHome, brand: brandOf(), texts },
    slackClient,
    async botToken(installationId) {
      const stored = await store.readInstallation(installationId);
      return stored?.installation.bot?.token ?? 'xoxb-gone';
    },
    async onTokenDead({ installationId }) {
      deadTokens.push(installationId);
    },
    onRunChanged() {},
    scrub: createScrubber(config.secrets),
    log,
    now,
    random: () => 0.5,
  };

  let claims = 0;
  const stage: PipelineStage = {
    sandbox,
    database,
    databaseFile: target.kind === 'sqlite' ? target.file : '',
    reopen: opened.reopen,
    config,
    store,
    openStore,
    deps,
    deadTokens,
    logged: () => lines.join(''),
    now,
    async pass(ms) {
      time += ms;
      await sandbox.clock.advance(0);
    },
    install: async (wish = {}) => recordInstall(sandbox, config, store, wish),
    async work(changes = {}, stop = struck.signal) {
      const leases = await claimDueRuns(changes.database ?? database, {
        clientId: config.slack.clientId,
        limit: 10,
        now: now(),
        leaseUntil: now() + 30_000,
        owner: `test:1:stage/${++claims}`,
      });
      const control = { signal: stop, draining: () => false };
      await Promise.all(leases.map((lease) => runPipeline({ ...deps, ...changes }, lease, control)));
      return leases.length;
    },
    async finish(runId, changes) {
      for (;;) {
        await stage.work(changes);
        const run = await stage.run(runId);
        if (run.dueAt === null) return run;
        await stage.pass(Math.max(0, run.dueAt - now()));
      }
    },
    async run(runId) {
      const run = await readRun(database.queries, runId);
      if (!run) throw new Error(`there is no run ${runId}`);
      return run;
    },
    welcomes: (install) =>
      sandbox.messages(install).filter((message) => message.metadata?.event_type === 'foyer_welcome').length,
  };
  return stage;
}

function configFor(sandbox: Sandbox, environment: Record<string, string> = {}): Config {
  const base = {
    SLACK_CLIENT_ID: sandbox.app.clientId,
    SLACK_CLIENT_SECRET: sandbox.app.clientSecret,
    SLACK_SIGNING_SECRET: sandbox.app.signingSecret,
    SLACK_AUTHORIZATION_URL: sandbox.authorizationUrl,
    SLACK_API_URL: sandbox.apiUrl,
    NODE_ENV: 'test',
  };
  return parseConfig({ ...base, ...environment }, manifestText);
}

async function recordInstall(sandbox: Sandbox, config: Config, store: InstallationStore, wish: InstallWish) {
  const workspace = sandbox.workspace(wish.workspace ?? 'Acme');
  const { id: userId } = sandbox.person(workspace.name, wish.who ?? 'owner');
  const scope = (wish.scopes ?? config.slack.botScopes).join(',');
  const asked = { client_id: sandbox.app.clientId, scope, redirect_uri: redirectUri, state: 'state' };
  const place = wish.orgWide ? { enterpriseId: workspace.enterpriseId ?? '' } : { teamId: workspace.id };
  const location = await sandbox.consent({
    authorizeUrl: `${sandbox.authorizationUrl}?${new URLSearchParams(asked)}`,
    userId,
    ...place,
  });
  const answer = await new WebClient(undefined, { slackApiUrl: sandbox.apiUrl }).oauth.v2.access({
    client_id: sandbox.app.clientId,
    client_secret: sandbox.app.clientSecret,
    code: new URL(location).searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
  });
  const installation: Installation = {
    team: answer.team?.id ? { id: answer.team.id, name: answer.team.name } : undefined,
    enterprise: answer.enterprise?.id
      ? { id: answer.enterprise.id, name: answer.enterprise.name }
      : undefined,
    isEnterpriseInstall: answer.is_enterprise_install === true,
    user: { id: userId, token: undefined, scopes: undefined },
    bot: {
      id: 'B0',
      token: answer.access_token ?? '',
      userId: answer.bot_user_id ?? '',
      scopes: (answer.scope ?? '').split(','),
    },
    appId: answer.app_id,
    tokenType: 'bot',
    authVersion: 'v2',
  };
  const recorded = await store.recordInstall(installation);
  return { ...recorded, userId, teamId: workspace.id };
}

/** Wraps a database for a process that dies during a test. A write that begins while `isDead` is true never settles. */
export function mortal(database: Database, isDead: () => boolean): Database {
  const forEver = new Promise<never>(() => {});
  return {
    ...database,
    write: (work, patienceMs) => (isDead() ? forEver : database.write(work, patienceMs)),
  };
}

/** A promise, and the function that resolves it. */
export function signal(): { reached: Promise<void>; reach(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { reached: promise, reach: () => resolve() };
}
