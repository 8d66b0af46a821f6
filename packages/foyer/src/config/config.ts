import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { type DatabaseTarget, passwordsOf } from './database-target.ts';
import { parseEncryptionKeys } from './encryption-keys.ts';
import {
  type Environment,
  environmentSchema,
  isLoopback,
  problemsOf,
  rightOf,
} from './environment-schema.ts';
import { type Manifest, type MessagesTab, messagesTabOf, parseManifest } from './manifest.ts';
import { plainValues } from './plain-values.ts';
import { problemsBetween } from './problems-between.ts';
import { nodeProblems } from './version.ts';

/**
 * Only this file reads `process.env`. `environment-schema.ts` lists the variables and checks each value;
 * `problems-between.ts` checks variables against each other.
 */

/**
 * The parsed and frozen environment. `readConfig` returns it, and `defineFoyer` accepts it. `secrets` repeats every
 * secret, so that the log can hide them.
 */
export interface FoyerConfig {
  production: boolean;
  slack: {
    clientId: string;
    clientSecret: string;
    signingSecret: string;
    /** Whether calls to Slack go through the proxy that HTTPS_PROXY names. */
    throughProxy: boolean;
    authorizationUrl: string;
    /** Always ends in a slash. */
    apiUrl: string;
    /** The scopes in SLACK_SCOPES. If undefined, the manifest's scopes apply. */
    scopes: readonly string[] | undefined;
    /** The scopes in SLACK_USER_SCOPES. If undefined, the manifest's scopes apply. */
    wantedUserScopes: readonly string[] | undefined;
  };
  http: {
    /** Only the origin: `https://foyer.example.com`. */
    publicUrl: string;
    secure: boolean;
    port: number;
    host: string | undefined;
    trustProxy: number;
  };
  database: DatabaseTarget;
  /** The keys of TOKEN_ENCRYPTION_KEYS, in order; undefined if the key file next to the database is used. */
  encryptionKeys: readonly { id: string; base64: string }[] | undefined;
  successRedirectUrl: string | undefined;
  /**
   * Where the browser goes after an install that did not succeed, if the install's link has no `return_to`. If this is
   * undefined, Foyer shows its own page.
   */
  errorRedirectUrl: string | undefined;
  /** How workspaces are connected to the host product’s accounts; undefined if connecting is off. */
  connect:
    | {
        /** Signs links and results with HS256. */
        secret: string;
        /** The origins that a link may return to; PUBLIC_URL’s own origin by default. */
        returnOrigins: readonly string[];
        /** The page where an installer or admin claims an unconnected workspace; undefined if claiming is off. */
        claimUrl: string | undefined;
      }
    | undefined;
  /** The settings of the feature “Sign in with Slack”; undefined if the feature is off. */
  signIn:
    | {
        /** The URL of Slack’s OpenID issuer. The URL of the issuer’s discovery document begins with this URL. */
        issuer: string;
        /** The origins to which a sign-in may return. PUBLIC_URL’s own origin is always one of them. */
        returnOrigins: readonly string[];
      }
    | undefined;
  privacyUrl: string | undefined;
  supportUrl: string | undefined;
  operatorPassword: string | undefined;
  /** The people who may use the operator pages after signing in with Slack, each as `T…/U…`. If empty, no one may. */
  operatorSlackUsers: readonly string[];
  metricsToken: string | undefined;
  notify: {
    slackWebhookUrl: string | undefined;
    mail: { smtpUrl: string; from: string; to: string } | undefined;
  };
  /** LOG_SERVICE: if set, each line of the log names the service, its version and its host. */
  logService: string | undefined;
  /** Whether Foyer traces installs, runs and calls to Slack through OpenTelemetry's API. */
  tracing: boolean;
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** Every secret value, as given in the environment. The log must never contain any of them. */
  secrets: readonly string[];
}

/** The whole configuration, from the environment, the manifest and the definition. */
export interface Config extends FoyerConfig {
  app: {
    name: string;
    description: string;
    longDescription: string;
    /** `#rrggbb`; undefined if the manifest has none. */
    backgroundColor: string | undefined;
  };
  messagesTab: MessagesTab;
  slack: FoyerConfig['slack'] & {
    /**
     * Whether Foyer uses the sandbox on this machine instead of Slack. If so, it shows no links to Slack's desktop app.
     */
    isSandbox: boolean;
    botScopes: readonly string[];
    /** The scopes in `botScopes` that an installer may decline. */
    optionalBotScopes: readonly string[];
    /** The user scopes that an install asks for. */
    userScopes: readonly string[];
    /** The user scopes that each member may grant for themselves. */
    memberScopes: readonly string[];
    /**
     * Whether Foyer reports to Slack which members have connected their account: true if the manifest subscribes to
     * `user_connection`, and members may grant `users:write`, which the report needs.
     */
    reportsConnections: boolean;
  };
  http: FoyerConfig['http'] & {
    /** The prefix of every Foyer path: empty, or for example `/integrations/slack`. */
    basePath: string;
    /** `publicUrl` plus `basePath`: every Foyer URL begins with it. */
    baseUrl: string;
  };
}

/** Parses the environment. If anything is wrong, adds it to `problems` and returns undefined. */
function parseEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
): FoyerConfig | undefined {
  const before = problems.length;
  const given = plainValues(environment, Object.keys(environmentSchema.shape), problems);
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) problems.push(...problemsOf(parsed.error));
  problems.push(...problemsBetween(given, parsed.success ? parsed.data : rightOf(given)));
  const keys = parseEncryptionKeys(given.TOKEN_ENCRYPTION_KEYS, problems);
  return problems.length > before || !parsed.success ? undefined : configOf(parsed.data, keys);
}

/**
 * Parses an environment and a manifest into one frozen Config.
 * @throws ConfigError with every problem, each with its fix.
 */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
  manifestText: string,
  basePath = '',
): Config {
  const problems: ConfigProblem[] = [];
  const config = parseEnvironment(environment, problems);
  const manifest = parseManifest(manifestText, problems);
  if (!config || !manifest) throw new ConfigError(problems);
  return completeConfig(config, manifest, { basePath });
}

/** Combines the environment's configuration with the manifest and the definition. */
export function completeConfig(
  config: FoyerConfig,
  manifest: Manifest,
  { basePath, memberScopes = [] }: { basePath: string; memberScopes?: readonly string[] },
): Config {
  const { scopes } = manifest.oauth_config;
  const { display_information: display } = manifest;
  const botScopes = config.slack.scopes ?? [...new Set([...scopes.bot, ...scopes.bot_optional])];
  return freeze({
    ...config,
    app: {
      name: display.name,
      description: display.description,
      longDescription: display.long_description,
      backgroundColor: display.background_color,
    },
    messagesTab: messagesTabOf(manifest),
    slack: {
      ...config.slack,
      isSandbox: isLoopback(new URL(config.slack.authorizationUrl).hostname),
      botScopes,
      optionalBotScopes: scopes.bot_optional.filter((scope) => botScopes.includes(scope)),
      userScopes:
        config.slack.wantedUserScopes ??
        [...new Set([...scopes.user, ...scopes.user_optional])].filter(
          (scope) => !memberScopes.includes(scope),
        ),
      memberScopes: [...memberScopes],
      reportsConnections:
        memberScopes.includes('users:write') &&
        manifest.settings.event_subscriptions.bot_events.includes('user_connection'),
    },
    http: { ...config.http, basePath, baseUrl: config.http.publicUrl + basePath },
  });
}

function configOf(env: Environment, encryptionKeys: FoyerConfig['encryptionKeys']): FoyerConfig {
  const {
    DATABASE_URL: database,
    NOTIFY_SMTP_URL: smtpUrl,
    NOTIFY_EMAIL_FROM: from,
    NOTIFY_EMAIL_TO: to,
  } = env;
  const secrets = [
    env.SLACK_CLIENT_SECRET,
    env.SLACK_SIGNING_SECRET,
    env.CONNECT_SECRET,
    env.OPERATOR_PASSWORD,
    env.METRICS_TOKEN,
    env.NOTIFY_SLACK_WEBHOOK_URL,
    env.NOTIFY_SMTP_URL,
    ...(encryptionKeys ?? []).map((key) => key.base64),
    ...(database.kind === 'postgres' ? passwordsOf(database.url) : []),
  ];
  return {
    production: env.NODE_ENV === 'production',
    slack: {
      clientId: env.SLACK_CLIENT_ID,
      clientSecret: env.SLACK_CLIENT_SECRET,
      signingSecret: env.SLACK_SIGNING_SECRET,
      throughProxy: env.NODE_USE_ENV_PROXY === '1',
      authorizationUrl: env.SLACK_AUTHORIZATION_URL,
      apiUrl: env.SLACK_API_URL.endsWith('/') ? env.SLACK_API_URL : `${env.SLACK_API_URL}/`,
      scopes: env.SLACK_SCOPES,
      wantedUserScopes: env.SLACK_USER_SCOPES,
    },
    http: {
      publicUrl: env.PUBLIC_URL.origin,
      secure: env.PUBLIC_URL.protocol === 'https:',
      port: env.PORT,
      host: env.HOST,
      trustProxy: env.TRUST_PROXY,
    },
    database,
    encryptionKeys,
    successRedirectUrl: env.SLACK_SUCCESS_REDIRECT_URL,
    errorRedirectUrl: env.SLACK_ERROR_REDIRECT_URL,
    connect: env.CONNECT_SECRET
      ? {
          secret: env.CONNECT_SECRET,
          returnOrigins: env.CONNECT_RETURN_ORIGINS ?? [env.PUBLIC_URL.origin],
          claimUrl: env.CONNECT_CLAIM_URL,
        }
      : undefined,
    signIn:
      env.SIGN_IN === 'on'
        ? {
            issuer: env.SLACK_OPENID_URL,
            returnOrigins: [...new Set([env.PUBLIC_URL.origin, ...(env.CONNECT_RETURN_ORIGINS ?? [])])],
          }
        : undefined,
    privacyUrl: env.PRIVACY_URL,
    supportUrl: env.SUPPORT_URL,
    operatorPassword: env.OPERATOR_PASSWORD,
    operatorSlackUsers: env.OPERATOR_SLACK_USERS ?? [],
    metricsToken: env.METRICS_TOKEN,
    notify: {
      slackWebhookUrl: env.NOTIFY_SLACK_WEBHOOK_URL,
      mail: smtpUrl && from && to ? { smtpUrl, from, to } : undefined,
    },
    logService: env.LOG_SERVICE,
    tracing: env.TRACING === 'on',
    logLevel: env.LOG_LEVEL,
    secrets: secrets.filter((value): value is string => value !== undefined),
  };
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}

/**
 * Returns the environment, with `.env` (if it exists) as the fallback. Checks no value.
 * @throws ConfigError if `.env` exists and cannot be read; its cause is the file system's error
 */
export function readEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...parse(readDotenv()), ...environment };
}

function readDotenv(): string {
  try {
    const text = readFileSync('.env', 'utf8');
    // Windows may save the file as UTF-16. Foyer would find no variable in it, and would report every variable as
    // missing.
    if (text.includes('\0')) throw new Error('it is not UTF-8 text');
    return text;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    const problem = {
      name: '.env',
      problem: `exists but cannot be read: ${message}`,
      fix: 'run this as the user that Foyer runs as, or save .env as a UTF-8 file that only this user can read, because it holds secrets',
    };
    throw new ConfigError([problem], { cause });
  }
}

/**
 * Reads the configuration from an environment; without one, from `process.env` with `.env` as the fallback. Also checks
 * the version of Node.
 * @throws ConfigError with every problem, each with its fix
 * @example readConfig({ ...process.env, PORT: '4000' })
 */
export function readConfig(environment?: Readonly<Record<string, string | undefined>>): FoyerConfig {
  const problems = nodeProblems();
  const config = parseEnvironment(environment ?? readEnvironment(), problems);
  if (!config || problems.length > 0) throw new ConfigError(problems);
  return freeze(config);
}

/**
 * Reads only PUBLIC_URL, because an operator may print the manifest before the Slack app and its secrets exist.
 * @throws ConfigError
 */
export function readPublicUrl(environment: NodeJS.ProcessEnv = process.env): string {
  const problems: ConfigProblem[] = [];
  const given = plainValues(readEnvironment(environment), ['PUBLIC_URL'], problems);
  const parsed = environmentSchema.pick({ PUBLIC_URL: true }).safeParse(given);
  if (!parsed.success) problems.push(...problemsOf(parsed.error));
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  return parsed.data.PUBLIC_URL.origin;
}

/** Reads only whether SIGN_IN is `on`. The manifest depends on it, and is printed before the app's secrets exist. */
export function readSignsIn(environment: NodeJS.ProcessEnv = process.env): boolean {
  return plainValues(readEnvironment(environment), ['SIGN_IN'], []).SIGN_IN === 'on';
}

/** Whether npm started this process, as with `npm start`. */
export function isStartedByNpm(): boolean {
  return process.env.npm_lifecycle_event !== undefined;
}

/** What systemd's variables say about the unit that started this process. */
export interface SystemdUnit {
  /** The environment of `systemd-notify`, without Foyer's secrets. */
  environment: NodeJS.ProcessEnv;
  /** systemd ends a process that reports nothing for this long; undefined if systemd does not watch this process. */
  watchdogMs: number | undefined;
}

/** Returns the unit with `Type=notify` that started this process, if one did. */
export function readSystemdUnit(): SystemdUnit | undefined {
  const { NOTIFY_SOCKET, WATCHDOG_PID, WATCHDOG_USEC, PATH } = process.env;
  if (!NOTIFY_SOCKET) return undefined;
  const watches = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid);
  const watchdogMs = watches && Number(WATCHDOG_USEC) > 0 ? Number(WATCHDOG_USEC) / 1000 : undefined;
  return { environment: { NOTIFY_SOCKET, PATH }, watchdogMs };
}
