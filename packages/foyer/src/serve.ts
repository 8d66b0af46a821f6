import type { RequestListener } from 'node:http';
import type { AssembledFoyer, TestOptions } from './assemble-foyer.ts';
import { type Config, isStartedByNpm, readSystemdUnit } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { missedPort } from './config/environment-schema.ts';
import { createLogger, type Logger } from './config/log.ts';
import { messagesTabProblem } from './config/manifest.ts';
import { foyerVersion } from './config/version.ts';
import { DatabaseNewerError, DatabaseUnavailableError } from './database/database.ts';
import { OwnMigrationError } from './database/migrate.ts';
import type { NoTables } from './database/own-database.ts';
import { type FoyerDefinition, resolveConfig } from './define-foyer.ts';
import type { Foyer } from './foyer.ts';
import type { Listening } from './http/own-server.ts';
import { KeyringError } from './installations/keyring.ts';
import { createSystemdNotifier } from './notify-systemd.ts';
import { inLocalCommands, type LocalCommands, localCommands } from './operator/local-commands.ts';

const drainMs = 7000;

/** A Foyer that listens on a port and executes its runs. */
export type ServedFoyer<MyTables = NoTables> = Foyer<MyTables> &
  Pick<AssembledFoyer, 'failed' | 'runningListener'> &
  Pick<Listening, 'address'>;

/**
 * Options of `startFoyer`. `otherwise` answers requests for paths that are not Foyer's. Only tests set `TestOptions`.
 */
export type StartOptions<MyTables = NoTables> = TestOptions & {
  definition?: Partial<FoyerDefinition<MyTables>>;
  otherwise?: RequestListener;
};

/**
 * Starts Foyer with its own server. `serve` calls it; tests set the clock and the worker.
 * @throws ConfigError, DatabaseUnavailableError, DatabaseNewerError, KeyringError, OwnMigrationError
 */
export async function startFoyer<MyTables = NoTables>(
  config: Config,
  log: Logger,
  options: StartOptions<MyTables> = {},
): Promise<ServedFoyer<MyTables>> {
  // These modules are imported only here, as in `createFoyer`, because commands do not need the server.
  const { assembleFoyer } = await import('./assemble-foyer.ts');
  const { createFoyerServer, listen } = await import('./http/own-server.ts');
  const { definition = {}, otherwise, ...test } = options;
  const foyer = await assembleFoyer({ config, definition, log, test, commands: commandsHere() });
  const server = createFoyerServer({
    handler: foyer.handler,
    http: config.http,
    refusals: foyer.refusals,
    bounds: test.connectionBounds,
    otherwise,
    log,
  });
  const listening = await listen(server, config.http).catch(async (error) => {
    await foyer.stop();
    throw error;
  });
  const { address } = listening;
  await foyer.start();
  const tab = messagesTabProblem(config.messagesTab, foyer.hearsMessages());
  if (tab) log.warn({ fix: tab.fix }, `by the manifest, ${tab.problem}`);
  const missed = missedPort(config.http);
  if (missed !== undefined) {
    const fix = `set PORT=${missed}, unless something on this machine, such as a proxy or a container's published port, forwards requests to Foyer`;
    log.warn({ fix }, `PUBLIC_URL is ${config.http.publicUrl}, but Foyer listens on port ${address.port}`);
  }
  log.info(
    { version: foyerVersion, publicUrl: config.http.baseUrl, port: address.port, keys: foyer.keyIds },
    'Foyer is ready',
  );
  return {
    ...foyer,
    address,
    async stop() {
      const closed = listening.close(drainMs);
      await foyer.stop(closed);
    },
  };
}

/** If a start fails with one of these errors, Foyer shows only its message, which says what to do, without a stack. */
const explained = [ConfigError, DatabaseNewerError, OwnMigrationError, KeyringError];

/**
 * Runs Foyer as a process, with its own HTTP server and the worker. SIGTERM and SIGINT end it within ten seconds.
 * `otherwise`, such as an Express app, answers requests for all other paths. If the start fails, Foyer reports why and
 * ends the process with exit code 1. In a systemd unit with `Type=notify`, the exit code is 78 if the start would fail
 * again until a person changes something.
 * @example await serve(definition)
 */
export async function serve<MyTables>(
  definition: FoyerDefinition<MyTables>,
  options: { otherwise?: RequestListener } = {},
): Promise<void> {
  let log: Logger | undefined;
  try {
    const config = resolveConfig(definition);
    const logger = createLogger(config);
    log = logger;
    let foyer: Pick<ServedFoyer, 'stop' | 'runningListener'> | undefined;
    let isStopping = false;
    /** Waits for installs and steps in progress, then ends the process: within ten seconds, even if called twice. */
    const stop = (exitCode: 0 | 1): void => {
      if (exitCode === 1 || process.exitCode === undefined) process.exitCode = exitCode;
      if (isStopping) return;
      if (!foyer) process.exit(exitCode);
      isStopping = true;
      setTimeout(() => process.exit(1), 9500).unref();
      foyer.stop().then(
        () => process.exit(),
        (error) => {
          logger.error({ err: error }, 'could not stop cleanly');
          process.exit(1);
        },
      );
    };
    process.on('uncaughtException', (error) => {
      logger.fatal({ err: error, listener: foyer?.runningListener() }, 'uncaught error; stopping');
      stop(1);
    });
    process.on('unhandledRejection', (reason) => {
      const listener = foyer?.runningListener();
      // The listener started this work and did not await it. No work of Foyer is left half done, so the process
      // continues.
      if (listener !== undefined)
        return logger.error(
          { err: reason, listener },
          'a promise that a listener did not await was rejected',
        );
      logger.fatal({ err: reason }, 'unhandled promise rejection; stopping');
      stop(1);
    });
    // Registered before the start: a supervisor may stop Foyer while it still waits for its database.
    process.once('SIGTERM', () => stop(0));
    process.once('SIGINT', () => stop(0));
    onParentEnd(() => stop(0));
    const started = await startFoyer(config, logger, { definition, ...options });
    foyer = started;
    createSystemdNotifier(logger)?.ready(
      `Foyer ${foyerVersion} is ready at ${config.http.baseUrl}, on port ${started.address.port}`,
    );
    void started.failed.then(() => {
      logger.fatal('stopping, since only a new process can use the database again');
      stop(1);
    });
  } catch (error) {
    reportFailedStart(error, log);
    process.exit(readSystemdUnit() && isForPerson(error, log) ? exConfig : 1);
  }
}

const commandsHere = (): LocalCommands =>
  localCommands({ program: process.argv[1] ?? '', isStartedByNpm: isStartedByNpm() });

/** EX_CONFIG of sysexits.h. With `RestartPreventExitStatus=78`, systemd does not restart the unit after this exit. */
const exConfig = 78;

/**
 * Whether a start will fail again until a person changes something: the configuration was refused (then there is no log
 * yet), the keys are unusable, or a newer Foyer has changed the database. After other failures, a later start may
 * succeed: a port may become free, the database may become reachable, or another Foyer, which lacks a key of this one,
 * may stop.
 */
const isForPerson = (error: unknown, log: Logger | undefined): boolean =>
  log === undefined ||
  (error instanceof KeyringError && !error.mayPass) ||
  error instanceof DatabaseNewerError;

/**
 * Says why Foyer could not start: an explanation goes to stderr for the person who started it, and to the log for log
 * collectors. If the log goes to a terminal, the same person reads both, so the explanation goes only to stderr.
 */
function reportFailedStart(error: unknown, log: Logger | undefined): void {
  const isExplained = explained.some((kind) => error instanceof kind);
  const message =
    error instanceof DatabaseUnavailableError ? error.advice : isExplained ? messageOf(error) : undefined;
  const explanation = message === undefined ? undefined : inLocalCommands(message, commandsHere());
  if (explanation !== undefined) console.error(explanation);
  else if (!log) console.error(error);
  if (process.stdout.isTTY && explanation !== undefined) return;
  // Without a configuration, the log uses the default level and cannot scrub secrets. That is safe, because no
  // ConfigProblem quotes a secret.
  const anyLog = log ?? createLogger({ logLevel: 'info', secrets: [] });
  const { problems } = error instanceof ConfigError ? error : { problems: undefined };
  const about = explanation === undefined ? { err: error } : { problems, reason: explanation };
  anyLog.fatal(about, 'Foyer could not start');
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * If npm started this process, calls `stop` when the parent process has ended. Why: npm passes a SIGTERM on to its
 * shell, and `dash` ends without passing it on to its child. Foyer would otherwise keep running after `npm start`
 * ended.
 */
function onParentEnd(stop: () => void): void {
  if (!isStartedByNpm()) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 250).unref();
}
