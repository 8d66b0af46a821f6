import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createSandbox, type Sandbox, type SandboxOptions } from 'slack-sandbox';
import { completeConfig, readConfig } from '../config/config.ts';
import { ConfigError, type ConfigProblem } from '../config/config-error.ts';
import { createLogger } from '../config/log.ts';
import { parseManifest } from '../config/manifest.ts';
import type { Queries } from '../database/database.ts';
import { readStepAttempts } from '../database/run-steps.ts';
import { definitionProblems, type FoyerDefinition, manifestText } from '../define-foyer.ts';
import type { Foyer } from '../foyer.ts';
import { type ServedFoyer, startFoyer } from '../serve.ts';
import { freePort } from './free-port.ts';
import {
  type Choice,
  createVisitor,
  install,
  type ReasonOf,
  restingRun,
  type ShownRun,
  type Visitor,
} from './visitor.ts';

/** Foyer's clock in a test: it runs at the speed of the real clock, and can jump forward. The sandbox uses it too. */
export interface TestClock {
  /** Milliseconds since 1970. */
  now(): number;
  advance(byMs: number): void;
}

/** An app on Foyer, a sandbox for Slack and a browser, all over loopback HTTP. Close it at the end of the test. */
export interface TestFoyer {
  /** The address of Foyer, with the definition's base path and without a trailing slash. */
  url: string;
  foyer: Foyer;
  sandbox: Sandbox;
  /** A headless browser: it keeps its cookies and follows no redirect. */
  visitor: Visitor;
  clock: TestClock;
  /**
   * Installs the app as the owner of a seeded workspace, or as `choice` says. Resolves once the install run has ended
   * or waits for an answer. If it waits, `status` is `waiting`, and `question` is the name of the step and the id of
   * its question. If the run takes longer than 30 seconds, the error says which step it is at, and why that failed.
   */
  install(choice?: Choice): Promise<ShownRun>;
  /** Returns every line that Foyer has logged so far. */
  logged(): string[];
  /** Stops Foyer and starts it again on the same database and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The options of a test. */
export interface TestFoyerOptions {
  /** Variables in addition to those for the sandbox, such as `OPERATOR_PASSWORD`. */
  environment?: Readonly<Record<string, string>>;
  /** A Postgres database that only this test uses; by default, a SQLite file in a new folder. */
  databaseUrl?: string;
  sandbox?: Partial<SandboxOptions>;
}

/**
 * Starts an app on a real database with a sandbox for Slack: nothing is mocked, and nothing leaves this machine.
 * @throws ConfigError with every problem of the definition
 * @example
 * await using app = await startTestFoyer(definition);
 * const run = await app.install();
 * assert.equal(run.status, 'succeeded');
 */
export async function startTestFoyer(
  definition: FoyerDefinition,
  options: TestFoyerOptions = {},
): Promise<TestFoyer> {
  const problems: ConfigProblem[] = definitionProblems(definition);
  const manifest = parseManifest(manifestText(definition), problems);
  if (!manifest || problems.length > 0) throw new ConfigError(problems);
  const { basePath = '' } = definition;
  let aheadMs = 0;
  const clock: TestClock = {
    now: () => Date.now() + aheadMs,
    advance(byMs) {
      aheadMs += byMs;
    },
  };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}${basePath}`;
  const sandbox = await createSandbox({
    manifest: JSON.parse(manifestText(definition)),
    eventUrl: `${url}/slack/events`,
    redirectUrls: [`${url}/slack/oauth_redirect`, `${url}/slack/signin/callback`],
    readNow: clock.now,
    ...options.sandbox,
  });
  const folder = await mkdtemp(join(tmpdir(), 'foyer-test-'));
  const config = completeConfig(
    readConfig({
      SLACK_CLIENT_ID: sandbox.app.clientId,
      SLACK_CLIENT_SECRET: sandbox.app.clientSecret,
      SLACK_SIGNING_SECRET: sandbox.app.signingSecret,
      SLACK_AUTHORIZATION_URL: sandbox.authorizationUrl,
      SLACK_API_URL: sandbox.apiUrl,
      SLACK_OPENID_URL: sandbox.url,
      PUBLIC_URL: new URL(url).origin,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: options.databaseUrl ?? `file:${join(folder, 'foyer.db')}`,
      TOKEN_ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      NODE_ENV: 'test',
      LOG_LEVEL: 'debug',
      ...options.environment,
    }),
    manifest,
    { basePath, memberScopes: definition.memberScopes },
  );
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(...String(chunk).split('\n').filter(Boolean));
      done();
    },
  });
  const log = createLogger(config, { destination });
  const start = (): Promise<ServedFoyer> =>
    startFoyer(config, log, { definition, now: clock.now, worker: { pollMs: 100 } });
  let running: ServedFoyer | undefined;
  const close = async (): Promise<void> => {
    await running?.stop();
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    running = await start();
  } catch (error) {
    // If the sandbox kept listening, the test file would not end.
    await close();
    throw error;
  }
  const visitor = createVisitor();
  const reasonOf: ReasonOf = async (runId, stepName) => {
    // An app may not read this table, but Foyer's own test helper may.
    const queries = running?.database.queries as unknown as Queries;
    const attempts = await readStepAttempts(queries, runId);
    const failed = attempts.findLast(
      (attempt) => attempt.stepName === stepName && attempt.errorMessage !== null,
    );
    return failed?.errorMessage ?? undefined;
  };
  return {
    url,
    get foyer() {
      if (!running) throw new Error('Foyer is not running');
      return running;
    },
    sandbox,
    visitor,
    clock,
    async install(choice) {
      const person = sandbox.person(sandbox.state().workspaces[0]?.id ?? '');
      const teamId = sandbox.state().workspaces[0]?.id;
      const answer = await install(visitor, url, sandbox, choice ?? { userId: person.id, teamId });
      const location = answer.headers.get('location');
      if (answer.status !== 303 || !location) throw new Error(`the callback answered ${answer.status}`);
      return restingRun(visitor, new URL(location, url).href, reasonOf);
    },
    logged: () => lines,
    async restart() {
      await running?.stop();
      running = undefined;
      running = await start();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
