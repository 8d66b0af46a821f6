import { realpathSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { repeat } from './chores/repeat.ts';
import { takeTurn } from './chores/take-turn.ts';
import { type Config, readConfig } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { createLogger, createScrubber, type Logger } from './config/log.ts';
import { DatabaseNewerError, DatabaseUnavailableError } from './database/database.ts';
import { openDatabase } from './database/open-database.ts';
import { createBoltApp } from './events/bolt-app.ts';
import { createCommitLifecycle } from './events/lifecycle-events.ts';
import { createSlackReceiver } from './events/slack-receiver.ts';
import { createVerifySignature } from './events/verify-signature.ts';
import { createPublishHome } from './home/create-publish-home.ts';
import { createFindViewer } from './home/find-viewer.ts';
import { createFoyerServer } from './http/create-server.ts';
import { listen } from './http/listen.ts';
import { createSendPages } from './http/send-pages.ts';
import { createFinishInstall } from './install/finish-install.ts';
import { createRecoverInstalls } from './install/recover-installs.ts';
import { createShowProgress } from './install/show-progress.ts';
import { createStartInstall } from './install/start-install.ts';
import { createStates } from './install/state.ts';
import { createUnstoredTokens, unstoredTokensPurpose } from './install/unstored-tokens.ts';
import { createInstallationStore } from './installations/create-installation-store.ts';
import { createTokenSource } from './installations/create-token-source.ts';
import { KeyringError, loadKeyring } from './installations/keyring.ts';
import { createSealer } from './installations/sealer.ts';
import { verifyKeyring } from './installations/verify-keyring.ts';
import { openOperatorChannels } from './notices/open-operator-channels.ts';
import { createNoticeSender } from './notices/send-notices.ts';
import { createMetrics } from './operator/metrics/create-metrics.ts';
import { createWorker, type WorkerDeps } from './pipeline/worker.ts';
import { createRoutes } from './routes.ts';
import { createSlackClientFactory } from './slack/create-slack-client.ts';
import { createSlackTransport } from './slack/slack-transport.ts';
import { steps } from './steps/steps.ts';

/** A running Foyer. */
export interface Foyer {
  /** Where it listens, on this machine. */
  address: AddressInfo;
  /** Ends within ten seconds: no new work, what runs finishes or is handed back, then port and database close. */
  stop(): Promise<void>;
}

/** What a test sets, and nothing else does: the environment cannot. */
export interface StartOptions {
  /** Foyer's clock, in milliseconds since 1970. */
  now?: () => number;
  openDatabase?: typeof openDatabase;
  worker?: Pick<WorkerDeps, 'concurrency' | 'leaseMs' | 'pollMs' | 'random'>;
}

const drainMs = 7000;

/**
 * Builds Foyer in order and starts it. Wiring only: what happens is in the folders.
 * @throws DatabaseUnavailableError, DatabaseNewerError, KeyringError
 */
export async function startFoyer(config: Config, log: Logger, options: StartOptions = {}): Promise<Foyer> {
  const { now = Date.now } = options;
  const open = options.openDatabase ?? openDatabase;
  // A server that starts together with us may take a while.
  const database = await open(config.database, { patienceMs: 15_000 });
  try {
    return await build();
  } catch (error) {
    await database.close();
    throw error;
  }

  async function build(): Promise<Foyer> {
    const keyring = loadKeyring({ config });
    await verifyKeyring(database, keyring, now);
    const stepNames = steps.map((step) => step.name);
    const { clientId } = config.slack;
    const metrics = createMetrics({ database, clientId, stepNames, token: config.metricsToken, now, log });
    const transport = createSlackTransport(config.slack);
    const slackCalls = { config, log, transport, onCall: metrics.onSlackCall };
    const slack = createSlackClientFactory(slackCalls);
    const store = createInstallationStore({ database, keyring, clientId, stepNames, now, log });
    const tokens = createTokenSource({
      store,
      database,
      slack,
      config,
      onRefreshEnded: metrics.onTokenRefresh,
      now,
      log,
    });

    const { botToken, reportDeadToken } = tokens;
    const findViewer = createFindViewer({ database, slack, botToken, now, log });
    const home = createPublishHome({
      database,
      slack,
      botToken,
      findViewer,
      reportDeadToken,
      config,
      now,
      log,
    });
    const { publishHome } = home;
    const republishHome = async (changed: Promise<string | undefined> | string): Promise<void> => {
      try {
        const installationId = await changed;
        if (installationId) await home.republishHome(installationId);
      } catch (error) {
        log.warn({ err: error }, 'App Home is stale');
      }
    };

    const worker = createWorker({
      ...options.worker,
      database,
      steps,
      services: { config, publishHome },
      slackClient: slack,
      botToken,
      async onTokenDead({ installationId, code }) {
        await store.markBroken(installationId, code);
      },
      onRunChanged(change) {
        metrics.onRunChanged(change);
        void republishHome(change.installationId);
      },
      onStepEnded: metrics.onStepEnded,
      scrub: createScrubber(config.secrets),
      log,
      now,
    });
    const wakeWorker = () => worker.wake();

    const states = createStates({
      sealer: createSealer({ keyring, purpose: 'state' }),
      secure: config.http.secure,
      now,
    });
    const unstoredSealer = createSealer({ keyring, purpose: unstoredTokensPurpose });
    const unstoredTokens = createUnstoredTokens({ database, sealer: unstoredSealer, store, slack, log });
    const recoverInstalls = createRecoverInstalls({
      config,
      database,
      unstoredTokens,
      onInterrupted: () => metrics.onInstallRequest('interrupted'),
      now,
      log,
    });
    const pages = createSendPages({ config });

    const receiver = createSlackReceiver({
      verifySignature: createVerifySignature({ signingSecret: config.slack.signingSecret, now }),
      commitLifecycle: createCommitLifecycle({
        store,
        onChanged(query) {
          wakeWorker();
          void republishHome(store.findInstallation(query).then((stored) => stored?.installationId));
        },
        log,
      }),
      onAnswered: metrics.onSlackRequest,
      now,
      log,
    });
    createBoltApp({
      config,
      receiver,
      tokens,
      database,
      publishHome,
      findViewer,
      wakeWorker,
      slackCalls,
      now,
      log,
    });
    const route = createRoutes({
      startInstall: createStartInstall({ config, states, log }),
      finishInstall: createFinishInstall({
        config,
        database,
        states,
        store,
        unstoredTokens,
        wakeWorker,
        pages,
        slackCalls,
        onEnded: metrics.onInstallRequest,
        now,
        log,
      }),
      slackEvents: receiver.handle,
      progress: createShowProgress({ config, database, pages, now }),
      operator: await operatorPages(),
      metrics: metrics.handle,
      pages,
      database,
    });

    async function operatorPages() {
      const { operatorPassword: password } = config;
      if (password === undefined) return undefined;
      // Loaded where they are on: one module in forty of a start.
      const { createOperatorPages } = await import('./operator/pages/create-operator-pages.ts');
      const sealer = createSealer({ keyring, purpose: 'operator-session' });
      return createOperatorPages({ config, password, sealer, database, store, slack, wakeWorker, now, log });
    }

    // What is configured is loaded by now: one that cannot be is a fault of the start.
    for (const channel of await openOperatorChannels(config.notify)) channel.close();
    const server = createFoyerServer({ route, pages, log });
    const listening = await listen(server, config.http);
    const { address } = listening;
    worker.start();
    const notices = createNoticeSender({ config, database, now, log });
    const inTurn = {
      takeTurn: (turn: { chore: string; everyMs: number }) => takeTurn(database, { ...turn, now: now() }),
      log,
    };
    const chores = [
      repeat({ everyMs: 5000, what: 'tell the operators', work: notices.send, log }),
      repeat({ everyMs: 60_000, what: 'recover installs', work: recoverInstalls, ...inTurn }),
      repeat({
        everyMs: 5 * 60_000,
        what: 'refresh tokens',
        work: () => tokens.refreshLapsing(),
        ...inTurn,
      }),
    ];
    log.info({ publicUrl: config.http.publicUrl, port: address.port, keys: keyring.ids }, 'Foyer is ready');

    return {
      address,
      async stop() {
        log.info('stopping');
        notices.stop();
        const closed = listening.close(drainMs);
        await Promise.all([closed, worker.stop({ drainMs }), ...chores.map((chore) => chore.stop())]);
        await Promise.race([
          Promise.all([receiver.drain(), tokens.settle()]),
          new Promise((done) => setTimeout(done, 2000).unref()),
        ]);
        await database.close();
        log.info('stopped');
      },
    };
  }
}

/** The faults of a start that say themselves what to do: shown as they are, without a stack. */
const told = [ConfigError, DatabaseNewerError, KeyringError];

async function main(): Promise<void> {
  let log: Logger | undefined;
  try {
    const config = readConfig();
    const logger = createLogger(config);
    log = logger;
    process.on('uncaughtException', (error) => {
      logger.fatal({ err: error }, 'a fault that nothing caught; stopping');
      process.exit(1);
    });
    const foyer = await startFoyer(config, logger);
    const stop = (): void => {
      setTimeout(() => process.exit(1), 9500).unref();
      foyer.stop().then(
        () => process.exit(0),
        (error) => {
          logger.error({ err: error }, 'could not stop in order');
          process.exit(1);
        },
      );
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) console.error(error.advice);
    else if (told.some((kind) => error instanceof kind))
      console.error(error instanceof Error ? error.message : error);
    else if (log) log.fatal({ err: error }, 'Foyer could not start');
    else console.error(error);
    process.exit(1);
  }
}

// The path as given may lead through a link, such as a `current` that points to a release.
const started = process.argv[1] && realpathSync(process.argv[1]);
if (started === fileURLToPath(import.meta.url)) await main();
