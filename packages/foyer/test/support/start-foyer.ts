import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createSandbox, type Sandbox, type SandboxOptions } from 'slack-sandbox';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { createLogger, type Logger } from '../../src/config/log.ts';
import { type ServedFoyer as Foyer, type StartOptions, startFoyer } from '../../src/serve.ts';
import { freePort } from '../../src/testing/free-port.ts';
import { fixtureManifest } from './fixture-manifest.ts';
import { createSqliteDatabase } from './sqlite-template.ts';
import {
  type EngineName,
  postgresStageDatabase,
  type StageDatabase,
  sqliteStageDatabase,
} from './stage-database.ts';

const manifestText = fixtureManifest;

/** A Foyer with its own database, and the sandbox that it uses instead of Slack. They talk over loopback HTTP. */
export interface Stage {
  sandbox: Sandbox;
  url: string;
  config: Config;
  folder: string;
  /** The path of the database file, on SQLite. */
  databaseFile: string;
  /** Direct access to the database, on either engine. */
  database: StageDatabase;
  /** All lines that Foyer has logged so far. */
  logged(): string[];
  /** The running Foyer. */
  foyer(): Foyer;
  /** Stops Foyer gracefully. */
  stop(): Promise<void>;
  /** Starts Foyer (again) on the same port and database. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The environment variables that Foyer needs to talk to a sandbox. */
export function environmentFor(sandbox: Sandbox, port: number, databaseFile: string): Record<string, string> {
  return {
    SLACK_CLIENT_ID: sandbox.app.clientId,
    SLACK_CLIENT_SECRET: sandbox.app.clientSecret,
    SLACK_SIGNING_SECRET: sandbox.app.signingSecret,
    SLACK_AUTHORIZATION_URL: sandbox.authorizationUrl,
    SLACK_API_URL: sandbox.apiUrl,
    SLACK_OPENID_URL: sandbox.url,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_URL: `file:${databaseFile}`,
    NODE_ENV: 'test',
    LOG_LEVEL: 'debug',
  };
}

/** Makes a logger that records its lines in an array. */
export function recordingLogger(config: Config): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(...String(chunk).split('\n').filter(Boolean));
      done();
    },
  });
  return { log: createLogger(config, { destination }), lines };
}

/** Sets the stage: a sandbox and a Foyer that talk to each other, on SQLite by default. Close it at the end. */
export async function setStage(
  options: {
    engine?: EngineName;
    /** An existing Postgres database to use instead of a fresh one; it is not dropped. */
    postgresUrl?: string;
    environment?: Record<string, string>;
    sandbox?: Partial<SandboxOptions>;
    start?: boolean;
    foyer?: StartOptions;
  } = {},
): Promise<Stage> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const sandbox = await createSandbox({
    manifest: JSON.parse(manifestText),
    eventUrl: `${url}/slack/events`,
    redirectUrls: [`${url}/slack/oauth_redirect`, `${url}/slack/signin/callback`],
    ...options.sandbox,
  });
  const folder = await mkdtemp(join(tmpdir(), 'foyer-'));
  const databaseFile = join(folder, 'foyer.db');
  const database =
    options.engine === 'Postgres'
      ? await postgresStageDatabase({ url: options.postgresUrl })
      : sqliteStageDatabase(databaseFile);
  const config = parseConfig(
    { ...environmentFor(sandbox, port, databaseFile), ...database.environment, ...options.environment },
    manifestText,
  );
  const { log, lines } = recordingLogger(config);
  let foyer: Foyer | undefined;

  const stage: Stage = {
    sandbox,
    url,
    config,
    folder,
    databaseFile,
    database,
    logged: () => lines,
    foyer() {
      if (!foyer) throw new Error('Foyer is not running');
      return foyer;
    },
    async stop() {
      const running = foyer;
      foyer = undefined;
      await running?.stop();
    },
    async start() {
      foyer = await startFoyer(config, log, options.foyer);
    },
    async close() {
      await stage.stop();
      await sandbox.close();
      await database.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (options.start === false) return stage;
  try {
    if (options.engine !== 'Postgres') await createSqliteDatabase(databaseFile);
    await stage.start();
  } catch (error) {
    // A sandbox that keeps listening would keep the test process running.
    await stage.close();
    throw error;
  }
  return stage;
}
