import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { toFetchResponse, toReqRes } from 'fetch-to-node';
import { createJobs } from './chores/jobs.ts';
import type { Config } from './config/config.ts';
import { createScrubber, type Logger } from './config/log.ts';
import { createSpans } from './config/tracing.ts';
import { createConnections } from './connections/create-connections.ts';
import { createLinkCookies } from './connections/link-cookies.ts';
import { createReturns } from './connections/returns.ts';
import { createBackground } from './create-background.ts';
import { letGoOfKey } from './database/encryption-keys.ts';
import { openDatabase } from './database/open-database.ts';
import { type NoTables, ownDatabase } from './database/own-database.ts';
import { isMoment } from './database/runs.ts';
import { type FoyerDefinition, namesOfSteps } from './define-foyer.ts';
import { createEachInstallation } from './each-installation.ts';
import { assembleEvents } from './events/assemble-events.ts';
import { createPressHome } from './events/press-home.ts';
import { createTakeAnswer } from './events/take-answer.ts';
import type { Foyer } from './foyer.ts';
import { createPublishHome } from './home/create-publish-home.ts';
import { bindHomeSections } from './home/home-sections.ts';
import { createFindViewer } from './home/viewer.ts';
import type { ConnectionBounds } from './http/bound-connections.ts';
import { completeBrand } from './http/brand.ts';
import { createRefusals, type Refusals } from './http/count-refusals.ts';
import { createIsInMaintenance, type InstallLimits } from './http/guard-installs.ts';
import { createBodyReader } from './http/read-body.ts';
import { createRequestHandler, type RequestHandler } from './http/request-handler.ts';
import { createSendPages } from './http/send-pages.ts';
import { assembleInstall } from './install/assemble-install.ts';
import { createInstallationMethods } from './installation-methods.ts';
import { createInstallationStore } from './installations/create-installation-store.ts';
import { createTokenSource } from './installations/create-token-source.ts';
import { createDisconnectMember } from './installations/disconnect-member.ts';
import { isKeyThere } from './installations/keyring.ts';
import { createReportConnection } from './installations/report-connection.ts';
import { createSealer } from './installations/sealer.ts';
import { slackInstallationStore } from './installations/slack-installation-store.ts';
import { loadOrCreateKeyring, verifyKeyring } from './installations/verify-keyring.ts';
import { openOperatorChannels } from './notices/open-operator-channels.ts';
import { createNoticeSender } from './notices/send-notices.ts';
import { type LocalCommands, packageCommands } from './operator/local-commands.ts';
import { createMetrics } from './operator/metrics/create-metrics.ts';
import { createProcessReporter } from './operator/process-report.ts';
import { createRunOrigins } from './pipeline/step-context.ts';
import { createWorker, type WorkerDeps } from './pipeline/worker.ts';
import { createRoutes, needsOwnHost } from './routes.ts';
import { createSlackClientFactory } from './slack/create-slack-client.ts';
import { createSlackTransport } from './slack/slack-transport.ts';
import { steps as builtIn, builtInSteps } from './steps/steps.ts';
import { createTexts, stepFaces } from './texts/create-texts.ts';

/** Set only by tests. */
export interface TestOptions {
  /** Foyer's clock, in milliseconds since 1970. */
  now?: () => number;
  openDatabase?: typeof openDatabase;
  worker?: Pick<WorkerDeps, 'concurrency' | 'leaseMs' | 'pollMs' | 'random'>;
  installLimits?: Partial<InstallLimits['perMinute']>;
  connectionBounds?: Partial<ConnectionBounds>;
}

/** A Foyer, and the parts that Foyer's own HTTP server needs in addition. */
export interface AssembledFoyer<MyTables = NoTables> extends Foyer<MyTables> {
  handler: RequestHandler;
  refusals: Refusals;
  keyIds: readonly string[];
  /** Resolves if this process can no longer use its database. A new process must then replace this one. */
  failed: Promise<Error>;
  /**
   * The name of the Bolt listener that makes this call, directly or in a later callback. Undefined outside listeners.
   */
  runningListener(): string | undefined;
  /** Whether any listener may receive message events. */
  hearsMessages(): boolean;
  /**
   * Like `Foyer.stop`, but closes the database only after `closed` has resolved, which means that no request is open.
   */
  stop(closed?: Promise<void>): Promise<void>;
}

const exchangeConnections = 32;
/** How long Foyer waits for code exchanges after it was told to stop. The whole stop may take at most ten seconds. */
const stopExchangesMs = 8000;

/** Creates the parts of Foyer in order. Wiring only: the behavior is in the folders. */
export async function assembleFoyer<MyTables>(parts: {
  config: Config;
  definition: Partial<FoyerDefinition<MyTables>>;
  log: Logger;
  /**
   * How the operator pages write Foyer's commands. By default, they write `npx slack-foyer …`, for an app that
   * installed the package.
   */
  commands?: LocalCommands;
  test?: TestOptions;
}): Promise<AssembledFoyer<MyTables>> {
  const { config, definition, log, commands = packageCommands, test = {} } = parts;
  const { now = Date.now } = test;
  const { install: steps = builtInSteps(), uninstall: uninstallSteps = [] } = definition;
  const { upgraded, opened, workspaceGranted } = definition;
  const momentSteps = { upgraded, opened, workspaceGranted };
  const faces = stepFaces(steps);
  const brand = completeBrand(config, definition.brand);
  const texts = createTexts(definition.texts);
  const open = test.openDatabase ?? openDatabase;
  const warn = (text: string): void => log.warn(text);
  // If a database server starts together with Foyer, it may not accept connections yet, so Foyer tries for 15 seconds.
  const database = await open(config.database, {
    patienceMs: 15_000,
    migrations: definition.migrations,
    warn,
    onCreated(file) {
      const text = `created a new, empty database at ${file}`;
      // If there is no key yet, no token was ever stored, so nothing can be lost.
      if (!isKeyThere(config)) return log.info(text);
      const fix =
        'if there was a database before, stop Foyer, and put it back or restore its newest backup (docs/runbook.md#restore-and-who-is-missing); at the first start, there is nothing to do';
      log.warn({ fix }, text);
    },
  });
  try {
    return await build();
  } catch (error) {
    await database.close();
    throw error;
  }

  async function build(): Promise<AssembledFoyer<MyTables>> {
    const keyring = await loadOrCreateKeyring(database.queries, { config, now, warn });
    const holder = { now, process: `${hostname()} ${process.pid} ${randomUUID().slice(0, 8)}` };
    await verifyKeyring(database, keyring, holder);
    const { stepNames, uninstallStepNames, momentStepNames } = namesOfSteps(definition);
    const { clientId } = config.slack;
    const metrics = createMetrics({
      database,
      clientId,
      stepNames: [...stepNames, ...uninstallStepNames, ...Object.values(momentStepNames).flat()],
      jobs: definition.jobs ?? [],
      engine: config.database.kind,
      token: config.metricsToken,
      now,
      log,
    });
    const transport = createSlackTransport(config.slack);
    // Strangers can start code exchanges. So exchanges have their own connections, and runs never wait for an exchange.
    const exchangeTransport = createSlackTransport({ ...config.slack, connections: exchangeConnections });
    const span = createSpans({ config, log });
    const slackCalls = {
      ...{ config, log, transport, onCall: metrics.onSlackCall },
      span: config.tracing ? span : undefined,
    };
    const slack = createSlackClientFactory(slackCalls);
    const store = createInstallationStore({
      ...{ database, keyring, clientId, ...namesOfSteps(definition, config.notify), now, log },
    });
    const tokens = createTokenSource({
      store,
      database,
      slack,
      config,
      onRefreshEnded: metrics.onTokenRefresh,
      onUninstalled: () => wakeWorker(),
      onWorksAgain(installationId) {
        wakeWorker();
        void republishHome(installationId);
      },
      now,
      log,
    });

    const returns = createReturns({ config, database, now });
    const cookies = createLinkCookies({
      sealer: createSealer({ keyring, purpose: 'link-cookies' }),
      secure: config.http.secure,
      now,
    });
    const connecting = createConnections({
      config,
      database,
      cookies,
      claimSealer: createSealer({ keyring, purpose: 'claim' }),
      onChanged: (installationId) => void republishHome(installationId),
      onClaimed: () => metrics.onConnected('claim'),
      now,
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
      claimUrl: connecting.claimUrl,
      brand,
      texts,
      faces,
      sections: bindHomeSections(definition.home?.sections ?? [], () => foyer),
      now,
      log,
    });
    const { publishHome } = home;
    const republishHome = async (changed: Promise<string | undefined> | string): Promise<void> => {
      try {
        const installationId = await changed;
        if (installationId) await home.republishHome(installationId);
      } catch (error) {
        log.warn({ err: error }, 'could not publish App Home again');
      }
    };

    const origins = createRunOrigins({ database, clientId });
    const workerDeps: WorkerDeps = {
      ...test.worker,
      database,
      steps,
      uninstallSteps,
      momentSteps,
      services: { config, publishHome, brand, texts, claimUrl: connecting.claimUrl },
      slackClient: slack,
      botToken,
      onTokenDead: tokens.tokenDied,
      onRunChanged(change) {
        // A moment, such as a scope upgrade, also has runs. The service-level objective does not count these runs, and
        // Home does not show them.
        if (isMoment(change.pipeline)) return;
        metrics.onRunChanged(change);
        void republishHome(change.installationId);
      },
      span,
      origins,
      onStepEnded(attempt) {
        metrics.onStepEnded(attempt);
        const { step, status, sinceCallbackMs } = attempt;
        if (step === builtIn.sendWelcome.name && status === 'succeeded' && sinceCallbackMs !== undefined)
          metrics.onWelcomed(sinceCallbackMs);
      },
      scrub: createScrubber(config.secrets),
      log,
      now,
    };
    const worker = createWorker(workerDeps);
    const wakeWorker = () => worker.wake();

    const pages = createSendPages({ config, brand, texts });
    const reporter = createProcessReporter({ config, keyring, process: holder.process, now });
    const refusals = createRefusals({
      log,
      onRefused(kind) {
        metrics.onRefused(kind);
        reporter.onRefused(kind);
      },
    });
    const bodies = createBodyReader();
    const isInMaintenance = createIsInMaintenance(database, clientId);

    const reportConnection = createReportConnection({
      reports: config.slack.reportsConnections,
      slack,
      log,
    });
    const takeAnswer = createTakeAnswer({ database, publishHome, texts, wakeWorker, now, log });
    const install = assembleInstall({
      config,
      database,
      keyring,
      store,
      slack,
      slackCalls: { ...slackCalls, transport: exchangeTransport },
      gate: definition.gate,
      onConflict: definition.onConflict ?? 'refuse',
      cookies,
      returns,
      pages,
      faces,
      async answerHere(record, key, given) {
        const { outcome, show } = await takeAnswer(record, key, { ...given, isAllowed: false });
        // Not awaited: the answer is already committed, so the browser need not wait for Slack.
        show(async () => slack(await botToken(record.id))).catch((error) =>
          log.warn(
            { err: error, installationId: record.id },
            'could not show in Slack that a question is answered or closed',
          ),
        );
        return outcome;
      },
      hearsMessages: () => bolt.hearsMessages(),
      bodies,
      refusals,
      isInMaintenance,
      limits: test.installLimits,
      span,
      wakeWorker,
      onStored: origins.remember,
      onEnded: metrics.onInstallRequest,
      onInterrupted: () => metrics.onInstallRequest('interrupted'),
      onConnected: () => metrics.onConnected('link'),
      onMember(member, userToken) {
        if (userToken !== undefined)
          reportConnection(userToken, member.userId, 'connected').catch((error) =>
            log.error(
              { err: error, ...member },
              'could not report to Slack that a member connected an account',
            ),
          );
        publishHome(member).catch((error) => log.warn({ err: error, ...member }, 'Home was not published'));
      },
      now,
      log,
    });
    const disconnectMember = createDisconnectMember({ store, tokens, slack, reportConnection, log });
    const pressHome = createPressHome({ database, disconnectMember, wakeWorker, now, log });
    const { receiver, seen, bolt } = assembleEvents({
      config,
      database,
      store,
      tokens,
      slackCalls,
      bodies,
      refusals,
      publishHome,
      findViewer,
      pressHome,
      takeAnswer,
      texts,
      hearsOpenings: momentStepNames.opened.length > 0,
      onChanged(query, type) {
        wakeWorker();
        // Nothing to do here, because the listener for `app_home_opened` publishes Home.
        if (type === 'app_home_opened') return;
        void republishHome(store.findInstallation(query).then((stored) => stored?.installationId));
      },
      onAnswered(request) {
        metrics.onSlackRequest(request);
        reporter.onSlackRequest(request);
      },
      now,
      log,
    });

    const operators = await operatorsOnTheWeb();
    const signIn = await signInWithSlack();
    const route = createRoutes({
      startInstall: install.routes.start,
      connects: config.connect !== undefined,
      finishInstall: install.routes.finish,
      slackEvents: receiver.handle,
      progress: install.routes.progress,
      ...(signIn && { signIn: signIn.routes, record: signIn.record }),
      operator: operators?.pages,
      metrics: metrics.handle,
      pages,
      database,
      isInMaintenance,
      reporter,
    });

    async function signInWithSlack() {
      if (!config.signIn) return undefined;
      // Imported only if sign-in is on, because it loads the OpenID client.
      const { assembleSignIn } = await import('./signin/assemble-sign-in.ts');
      return assembleSignIn({
        config: { ...config, signIn: config.signIn },
        database,
        keyring,
        slack,
        botToken,
        transport: exchangeTransport,
        ...(operators && { operators: { people: config.operatorSlackUsers, sessions: operators.sessions } }),
        readHome: home.readHome,
        findViewer,
        pressHome,
        disconnectMember,
        publishHome,
        bodies,
        pages,
        refusals,
        limits: test.installLimits,
        onEnded: metrics.onSignIn,
        now,
        log,
      });
    }

    async function operatorsOnTheWeb() {
      if (config.operatorPassword === undefined && config.operatorSlackUsers.length === 0) return undefined;
      // Imported only if the operator pages are on. Without their modules, Foyer loads 2.5 % fewer modules at the
      // start.
      const { assembleOperators } = await import('./operator/assemble-operators.ts');
      return assembleOperators({
        config,
        database,
        keyring,
        jobs: definition.jobs ?? [],
        store,
        tokens,
        slack,
        brand,
        texts,
        faces,
        bodies,
        refusals,
        isInMaintenance,
        commands,
        wakeWorker,
        now,
        log,
      });
    }

    // Opens each channel that notifies operators, so that Foyer does not start if the library of a channel cannot be
    // imported.
    for (const channel of await openOperatorChannels(config.notify)) channel.close();
    const handler = createRequestHandler({
      basePath: config.http.basePath,
      route,
      needsOwnHost,
      requestIdOf(url, { cookie }) {
        const { pathname, searchParams } = new URL(url, 'http://localhost');
        const state = searchParams.get('state');
        if (/^\/slack\/oauth_redirect\/?$/.test(pathname))
          return install.states.judge(state, cookie).content?.id;
        if (/^\/slack\/signin\/callback\/?$/.test(pathname))
          return signIn?.states.judge(state, cookie).content?.id;
        return undefined;
      },
      http: config.http,
      pages,
      refusals,
      onAnswered: metrics.onHttpRequest,
      log,
    });
    const notices = createNoticeSender({ config, database, onSent: metrics.onNotice, now, log });
    const background = createBackground({
      database,
      keyring,
      holder,
      clientId,
      workerDeps,
      worker,
      tokens,
      install,
      seen,
      notices,
      jobs: createJobs({
        jobs: definition.jobs ?? [],
        foyer: () => foyer,
        database,
        clientId,
        machine: `${hostname()} ${process.pid}`,
        now,
        log,
      }),
      now,
      log,
    });

    const foyer: AssembledFoyer<MyTables> = {
      handler,
      refusals,
      keyIds: keyring.ids,
      failed: database.failed,
      runningListener: bolt.runningListener,
      hearsMessages: bolt.hearsMessages,
      handle: handler.handle,
      middleware(req, res, next) {
        handler.handle(req, res).then((handled) => handled || next(), next);
      },
      async fetch(request) {
        const { req, res } = toReqRes(request);
        // What Node's own server does, and `fetch-to-node` does not: a request always has a `Host` header, and a
        // response that has ended is closed.
        req.headers.host ??= new URL(request.url).host;
        res.on('finish', () => res.emit('close'));
        const answer = toFetchResponse(res);
        if (!(await handler.handle(req, res))) handler.notFound(res);
        const { headers } = await answer;
        // The server that called `fetch` manages the connection. An HTTP/2 server even refuses these headers.
        for (const name of ['Connection', 'Keep-Alive', 'Transfer-Encoding']) headers.delete(name);
        return answer;
      },
      receiver,
      authorize: bolt.authorize,
      installationStore: slackInstallationStore(store, { onChanged: wakeWorker }),
      attach(app) {
        bolt.attach(app);
        definition.listeners?.(app, foyer);
      },
      eachInstallation: (options, work) => createEachInstallation({ list: foyer.list, log })(options, work),
      ...createInstallationMethods({
        database,
        clientId,
        store,
        tokens,
        slack,
        connections: connecting.connections,
        publishHome,
        wakeWorker,
        now,
        log,
      }),
      connect: connecting.connect,
      readResult: connecting.readResult,
      claim: connecting.claim,
      readClaim: connecting.readClaim,
      connections: connecting.connections,
      member: async (req) => signIn?.findMember(req),
      database: ownDatabase<MyTables>(database),
      start: background.start,
      drain: background.drain,
      async stop(closed) {
        log.info('stopping');
        const startedAt = performance.now();
        await Promise.all([closed, background.stop()]);
        const exchangesMs = Math.max(500, stopExchangesMs - (performance.now() - startedAt));
        await Promise.all([
          within(2000, Promise.all([receiver.drain(), tokens.settle()])),
          within(exchangesMs + 1000, install.settle(exchangesMs)),
        ]);
        handler.close();
        await database
          .write((transaction) => letGoOfKey(transaction, holder.process), 500)
          .catch((error) =>
            log.warn({ err: error }, 'could not record that this process no longer uses the encryption key'),
          );
        refusals.close();
        await database.close();
        log.info('stopped');
        log.flush();
      },
    };
    definition.listeners?.(bolt.app, foyer);
    return foyer;
  }
}

/** Waits for the work, but not longer than `ms`. Rejects if the work fails before then. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, over]).finally(() => clearTimeout(timer));
}
