import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import type { Logger as SlackLogger } from '@slack/bolt';
import type { LogLevel } from '@slack/web-api';
import { type DestinationStream, type LogFn, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import type { Config } from './config.ts';
import { createLineLimit, readLine } from './limit-lines.ts';
import { foyerVersion } from './version.ts';

/**
 * Why every line passes through one scrubber: secrets reach a log in ways that no one planned (an error's message, a
 * header in a dump, a library's debug line). Redaction by path covers the fields that we know; the scrubber covers the
 * rest (invariant 4).
 */

export type Logger = PinoLogger;

const secretShapes = [
  // Slack's tokens: bot, user, app-level, refresh, legacy; and the expiring ones (xoxe.xoxb-…, xoxe-…).
  /xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]+/,
  /xapp-[A-Za-z0-9-]+/,
  // The URL of an incoming webhook, also in GovSlack. Its slashes may be plain, JSON-escaped or URL-encoded.
  /https(?::|%3A)(?:\\*\/|%2F){2}hooks\.slack(?:-gov)?\.com(?:[A-Za-z0-9_-]|\\*\/|%2F)+/i,
  // Connect links and their results are JWTs. The pattern is tried only at the start of a word. If it were tried at
  // each `eyJ`, a long word that consists of `eyJ` would take seconds.
  /(?<![\w-])(?=[\w-]*?eyJ[\w-]{8})[\w-]+\.[\w-]{8,}\.[\w-]{8,}/,
  // Secrets in a query string, even if the URL is inside a JSON text or URL-encoded.
  /(?<=(?:[?&]|%3F|%26|\\u0026)(?:code|state|client_secret|token|access_token|refresh_token|id_token|connect|claim|foyer_claim|foyer_result)(?:=|%3D))[^&\s"'<>\\]+/i,
];

/** The ids on every line of an install, so that one search finds all its lines. */
interface LineIds {
  requestId?: string;
  runId?: string;
  installationId?: string;
  traceId?: string;
}

/**
 * Why not a child logger for each install: shared code writes most lines of an install (a call to Slack, a refreshed
 * token, App Home), and a child logger would have to be passed through all of it. The ids are bound to the asynchronous
 * call, so one store for the whole module serves every Foyer in the process.
 */
const lineIds = new AsyncLocalStorage<LineIds>();

/** Puts these ids, and no others, on every line that is logged during `work`. */
export function withLineIds<T>(ids: LineIds, work: () => T): T {
  return lineIds.run(ids, work);
}

/**
 * The forms in which a secret appears: plain, within JSON (also JSON within JSON, as a log line quotes it), within
 * base64, and within a URL or a form.
 */
function formsOf(secret: string): string[] {
  const json = (text: string): string => JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(secret.toWellFormed());
  // encodeURIComponent does not encode these characters, but other encoders do.
  const strict = url.replace(/[!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const encoded = [url, strict, encodeURI(secret.toWellFormed())];
  return [
    ...new Set([
      secret,
      json(secret),
      json(json(secret)),
      json(json(json(secret))),
      secret.replaceAll('/', '\\/'),
      ...base64FormsOf(secret),
      ...encoded.flatMap((text) => [text, text.replaceAll('%20', '+'), lowerHex(text)]),
    ]),
  ];
}

/**
 * Returns the forms that a secret takes within a base64 text, such as a Basic Authorization header. Base64 encodes
 * three bytes at a time, so the form depends on whether 0, 1 or 2 bytes of a group come before the secret. The returned
 * forms omit the characters that also depend on the bytes next to the secret.
 */
function base64FormsOf(secret: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    const whole = bytes
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6));
    return whole.length < 8 ? [] : [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function lowerHex(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

/** Creates the function that replaces every known secret, and everything that looks like one, in a text. */
export function createScrubber(secrets: readonly string[]): (text: string) => string {
  // Longest first: if one secret begins with another, no part of the longer one may remain. A value shorter than six
  // characters could be any word, so it does not count as a secret.
  const known = secrets
    .filter((secret) => secret.length >= 6)
    .flatMap(formsOf)
    .sort((a, b) => b.length - a.length);
  const literal = (secret: string): string => secret.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const anyKnown = known.length > 0 ? new RegExp([...new Set(known)].map(literal).join('|'), 'g') : undefined;
  const anyShape = new RegExp(secretShapes.map((shape) => shape.source).join('|'), 'gi');
  return (text) => (anyKnown ? text.replace(anyKnown, '[secret]') : text).replace(anyShape, '[secret]');
}

/**
 * Creates the application's logger. It writes JSON lines, or readable lines on a terminal, and hides secrets in both.
 */
export function createLogger(
  config: Pick<Config, 'logLevel' | 'secrets'> & Partial<Pick<Config, 'logService'>>,
  options: { pretty?: boolean; destination?: NodeJS.WritableStream } = {},
): Logger {
  const scrub = createScrubber(config.secrets);
  const limit = createLineLimit();
  const base = {
    level: config.logLevel,
    base: config.logService
      ? { service: config.logService, version: foyerVersion, host: hostname() }
      : undefined,
    // Pino's tools read the number of a level; people and other tools read its label.
    formatters: { level: (severity: string, level: number) => ({ level, severity }) },
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: (error: unknown) => describeError(error, scrub) },
    // Returns a copy, because pino adds the line's own fields to the object.
    mixin: () => ({ ...lineIds.getStore() }),
    redact: {
      paths: [
        'token',
        '*.token',
        '*.refreshToken',
        '*.access_token',
        '*.client_secret',
        'headers',
        '*.headers',
      ],
      censor: '[secret]',
    },
    hooks: {
      streamWrite: scrub,
      logMethod(this: Logger, args: Parameters<LogFn>, write: LogFn, level: number): void {
        const line = isBounded(level) ? readLine(args) : undefined;
        const fields = { ...lineIds.getStore(), ...line?.fields };
        const writeCount = (counted: object): void =>
          withLineIds({}, () => write.call(this, counted, line?.text));
        if (line && !limit.admits({ ...line, level, fields, write: writeCount })) return;
        write.apply(this, args);
      },
    },
  };
  const logger = pino(base, options.destination ?? ownDestination(options.pretty ?? process.stdout.isTTY));
  const flush = logger.flush.bind(logger);
  // Writes the counts that are not written yet, because they would be lost when the process ends.
  return Object.assign(logger, {
    flush(done?: (error?: Error) => void): void {
      limit.flush();
      flush(done);
    },
  });
}

/** Whether the log limits the lines of this level. It limits only warnings and errors. */
const isBounded = (level: number): boolean => level === 40 || level === 50;

/**
 * Logs that an attempt was refused or failed. A line without a request id is a warning, because strangers can cause any
 * number of such lines, and the log limits warnings (invariant 10). A line with a request id is not limited, because a
 * failure page shows the id, and the operator must be able to find the line.
 */
export function logAttempt(
  log: Pick<Logger, 'info' | 'warn'>,
  fields: LineIds & { code: string; kind?: string; outcome?: string },
  text: string,
): void {
  if (fields.requestId === undefined) log.warn(fields, text);
  else log.info(fields, text);
}

function ownDestination(pretty: boolean): DestinationStream {
  if (pretty) return loadPretty()({ translateTime: 'SYS:HH:MM:ss', ignore: 'severity', sync: true });
  return pino.destination({ dest: 1, sync: true });
}

/**
 * Loads pino-pretty only if the log goes to a terminal: with its dependencies, it would be 4 % of all modules that a
 * start loads.
 */
function loadPretty(): typeof import('pino-pretty') {
  return createRequire(import.meta.url)('pino-pretty');
}

/** The log cuts each text of an error, such as its message or stack, to this length. An app may throw megabytes. */
const mostCharacters = 20_000;
/** In characters: longer than any secret in practice. */
const longestSecret = 2000;

/**
 * Cuts a long text. The cut may split a secret, and the scrubber would not recognize half a secret. So this also omits
 * the last part of the cut text.
 */
function cut(text: string, scrub: (text: string) => string): string {
  if (text.length <= mostCharacters) return text;
  return `${scrub(text.slice(0, mostCharacters)).slice(0, -longestSecret)}… (${text.length} characters)`;
}

/** Returns what the log shows of an error: name, code, message, stack and causes; no headers, bodies or payload. */
function describeError(error: unknown, scrub: (text: string) => string, depth = 0): Record<string, unknown> {
  const shown = (text: unknown) => cut(String(text), scrub);
  try {
    if (!(error instanceof Error)) return { message: shown(error) };
    const { code, cause } = error as Error & { code?: unknown };
    return {
      name: shown(error.name),
      code: typeof code === 'string' ? shown(code) : undefined,
      message: shown(error.message),
      stack: error.stack === undefined ? undefined : shown(error.stack),
      // For example, if a host name has several addresses and none accepts the connection, there is one error per
      // address.
      errors:
        error instanceof AggregateError && depth < 4
          ? error.errors.slice(0, 3).map((one) => describeError(one, scrub, 4))
          : undefined,
      cause: cause !== undefined && depth < 4 ? describeError(cause, scrub, depth + 1) : undefined,
    };
  } catch {
    // An app's code can throw anything: an object without a prototype, a proxy, an error whose getters throw.
    return { message: 'An error whose properties cannot be read' };
  }
}

/**
 * The logger for Slack's SDK. The SDK's `debug` and `info` lines quote request bodies and install URLs, which contain
 * states and client secrets. So only the SDK's warnings and errors are logged.
 */
export function slackLogger(log: Logger, name: string): SlackLogger {
  const child = log.child({ from: name });
  const text = (parts: unknown[]): string =>
    parts.map((part) => (part instanceof Error ? `${part.name}: ${part.message}` : String(part))).join(' ');
  return {
    debug() {},
    info() {},
    warn: (...parts) => child.warn(text(parts)),
    error: (...parts) => child.error(text(parts)),
    setLevel() {},
    // A text instead of the SDK's enum: importing the enum would load the SDK.
    getLevel: () => 'warn' satisfies `${LogLevel.WARN}` as LogLevel,
    setName() {},
  };
}
