import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../../sandbox/sandbox.ts';
import { type Config, parseConfig } from '../../../src/config.ts';
import { freePort } from '../../support/free-port.ts';
import { environmentFor } from '../../support/start-foyer.ts';
import { type FoyerProcess, isServing, spawnFoyer } from './foyer-process.ts';
import { startWebhookEndpoint, type WebhookEndpoint } from './webhook-endpoint.ts';

export const manifestText = await readFile(new URL('../../../manifest.json', import.meta.url), 'utf8');

/** Foyer as a process of its own, and in this process the Slack that it talks to. */
export interface ProcessStage {
  sandbox: Sandbox;
  webhook: WebhookEndpoint;
  url: string;
  config: Config;
  environment: Record<string, string>;
  folder: string;
  databaseFile: string;
  foyer(): FoyerProcess;
  /** Starts Foyer, again after it was killed, on the same port and file; resolves once it serves. */
  start(nodeArguments?: readonly string[]): Promise<void>;
  /** Does the same, and takes it that it may be killed before it serves: then it resolves to false. */
  tryStart(): Promise<boolean>;
  /** Asks the database file, on a connection of our own that is closed at once. */
  rows<Row>(sql: string, ...parameters: unknown[]): Row[];
  /** Changes the database file, past Foyer. */
  change(sql: string, ...parameters: unknown[]): void;
  close(): Promise<void>;
}

/** Sets the stage; Foyer runs unless told otherwise. Close it at the end. */
export async function setProcessStage(
  options: {
    environment?: Record<string, string>;
    sandbox?: Partial<SandboxOptions>;
    start?: boolean;
    withIpc?: boolean;
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
  const environment = {
    ...environmentFor(sandbox, port, databaseFile),
    NOTIFY_SLACK_WEBHOOK_URL: webhook.url,
    LOG_LEVEL: 'info',
    ...options.environment,
  };
  let running: FoyerProcess | undefined;

  const stage: ProcessStage = {
    sandbox,
    webhook,
    url,
    config: parseConfig(environment, manifestText),
    environment,
    folder,
    databaseFile,
    foyer() {
      if (!running) throw new Error('Foyer was not started');
      return running;
    },
    async start(nodeArguments = []) {
      running = spawnFoyer({ environment, folder, nodeArguments, withIpc: options.withIpc });
      if (!(await isServing(running))) throw new Error(`Foyer did not start:\n${running.output()}`);
    },
    async tryStart() {
      running = spawnFoyer({ environment, folder });
      return isServing(running);
    },
    rows<Row>(sql: string, ...parameters: unknown[]) {
      const database = new Sqlite(databaseFile, { readonly: true, timeout: 2000 });
      try {
        return database.prepare(sql).all(...parameters) as Row[];
      } finally {
        database.close();
      }
    },
    change(sql, ...parameters) {
      const database = new Sqlite(databaseFile, { timeout: 5000 });
      try {
        database.prepare(sql).run(...parameters);
      } finally {
        database.close();
      }
    },
    async close() {
      if (running && !running.hasEnded()) {
        running.kill();
        await running.ended;
      }
      await Promise.all([sandbox.close(), webhook.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (options.start !== false) await stage.start();
  return stage;
}
