import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSandbox, type Sandbox, type SandboxOptions } from 'slack-sandbox';
import { type Config, parseConfig } from '../../../src/config/config.ts';
import { freePort } from '../../../src/testing/free-port.ts';
import { fixtureManifest } from '../../support/fixture-manifest.ts';
import { type PostgresProxy, startPostgresProxy } from '../../support/postgres-proxy.ts';
import {
  type EngineName,
  postgresStageDatabase,
  type StageDatabase,
  sqliteStageDatabase,
} from '../../support/stage-database.ts';
import { environmentFor } from '../../support/start-foyer.ts';
import { type FoyerProcess, isServing, spawnFoyer } from './foyer-process.ts';
import { startWebhookEndpoint, type WebhookEndpoint } from './webhook-endpoint.ts';

export const manifestText = fixtureManifest;

/** Foyer in its own process. The Slack sandbox that it calls runs in the test's process. */
export interface ProcessStage {
  sandbox: Sandbox;
  webhook: WebhookEndpoint;
  url: string;
  config: Config;
  environment: Record<string, string>;
  folder: string;
  engine: EngineName;
  /** The file of a SQLite database. */
  databaseFile: string;
  /** The proxy between Foyer and its Postgres; undefined on SQLite. */
  proxy: PostgresProxy | undefined;
  foyer(): FoyerProcess;
  /** Starts Foyer, or starts it again after a kill, always on one port and database. Resolves once Foyer serves. */
  start(nodeArguments?: readonly string[]): Promise<void>;
  /** Does the same as `start`, but resolves to false if Foyer is killed before it serves. */
  tryStart(): Promise<boolean>;
  /** Queries the database on a separate connection. */
  rows: StageDatabase['rows'];
  /** Changes the database directly, without Foyer. */
  change: StageDatabase['change'];
  close(): Promise<void>;
}

/** Sets the stage, by default on SQLite and with Foyer started. Close it at the end. */
export async function setProcessStage(
  options: {
    engine?: EngineName;
    /** A Postgres database to use instead of a fresh one; it is not dropped at the end. */
    postgresUrl?: string;
    environment?: Record<string, string>;
    sandbox?: Partial<SandboxOptions>;
    start?: boolean;
    withIpc?: boolean;
    /** The script to run instead of the fixture app. */
    script?: string;
  } = {},
): Promise<ProcessStage> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const sandbox = await createSandbox({
    manifest: JSON.parse(manifestText),
    eventUrl: `${url}/slack/events`,
    redirectUrls: [`${url}/slack/oauth_redirect`],
    ...options.sandbox,
  });
  const webhook = await startWebhookEndpoint();
  const folder = await mkdtemp(join(tmpdir(), 'foyer-faults-'));
  const databaseFile = join(folder, 'foyer.db');
  const { engine = 'SQLite' } = options;
  const database =
    engine === 'Postgres'
      ? await postgresStageDatabase({ url: options.postgresUrl })
      : sqliteStageDatabase(databaseFile);
  const direct = database.environment.DATABASE_URL ?? '';
  const proxy = engine === 'Postgres' ? await startPostgresProxy(direct) : undefined;
  const environment = {
    ...environmentFor(sandbox, port, databaseFile),
    ...database.environment,
    ...(proxy && { DATABASE_URL: proxy.url() }),
    NOTIFY_SLACK_WEBHOOK_URL: webhook.url,
    LOG_LEVEL: 'info',
    ...options.environment,
  };
  const process = { environment, folder, withIpc: options.withIpc, script: options.script };
  let running: FoyerProcess | undefined;

  const stage: ProcessStage = {
    sandbox,
    webhook,
    url,
    config: parseConfig(environment, manifestText),
    environment,
    folder,
    engine,
    databaseFile,
    proxy,
    foyer() {
      if (!running) throw new Error('Foyer was not started');
      return running;
    },
    async start(nodeArguments = []) {
      running = spawnFoyer({ ...process, nodeArguments });
      if (!(await isServing(running))) throw new Error(`Foyer did not start:\n${running.output()}`);
    },
    async tryStart() {
      running = spawnFoyer(process);
      return isServing(running);
    },
    rows: database.rows,
    change: database.change,
    async close() {
      if (running && !running.hasEnded()) {
        running.kill();
        await running.ended;
      }
      await Promise.all([sandbox.close(), webhook.close(), proxy?.close()]);
      await database.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (options.start === false) return stage;
  try {
    await stage.start();
  } catch (error) {
    // If the sandbox kept listening, the test file would not end.
    await stage.close();
    throw error;
  }
  return stage;
}
