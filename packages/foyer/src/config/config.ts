import { ConfigError, type ConfigFault } from './config-error.ts';
import { type DatabaseTarget, passwordsOf } from './database-target.ts';
import { parseEncryptionKeys } from './encryption-keys.ts';
import { type Environment, environmentSchema, faultsOf, rightOf } from './environment-schema.ts';
import { faultsBetween } from './faults-between.ts';
import { type Manifest, parseManifest, readManifest } from './manifest.ts';
import { plainValues } from './plain-values.ts';
import { withDotenv } from './read-environment.ts';

/**
 * Nothing else in `src/` reads `process.env`. What can be set, and what happens if it is wrong, stands in
 * `config/environment-schema.ts`; what is wrong between variables in `config/faults-between.ts`.
 */

/** The whole configuration, parsed and frozen. Secrets are in `secrets`, so that redaction can find them. */
export interface Config {
  production: boolean;
  app: { name: string; description: string };
  slack: {
    clientId: string;
    clientSecret: string;
    signingSecret: string;
    /** Whether calls to Slack go through the proxy that HTTPS_PROXY names. */
    throughProxy: boolean;
    authorizationUrl: string;
    /** Always ends in a slash. */
    apiUrl: string;
    botScopes: readonly string[];
    /** Those of `botScopes` that an installer may decline. */
    optionalBotScopes: readonly string[];
    userScopes: readonly string[];
  };
  http: { publicUrl: string; secure: boolean; port: number; host: string | undefined; trustProxy: number };
  database: DatabaseTarget;
  /** Raw `id:base64` entries in order, or undefined when the key file beside the database is to be used. */
  encryptionKeys: readonly { id: string; base64: string }[] | undefined;
  successRedirectUrl: string | undefined;
  privacyUrl: string | undefined;
  supportUrl: string | undefined;
  operatorPassword: string | undefined;
  metricsToken: string | undefined;
  notify: {
    slackWebhookUrl: string | undefined;
    mail: { smtpUrl: string; from: string; to: string } | undefined;
  };
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** Every secret value as given: what the log must never show. */
  secrets: readonly string[];
}

/**
 * Parses an environment into one frozen Config.
 * @throws ConfigError with every fault found, each with its mend.
 */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
  manifestText: string,
): Config {
  const faults: ConfigFault[] = [];
  const given = plainValues(environment, Object.keys(environmentSchema.shape), faults);
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) faults.push(...faultsOf(parsed.error));
  faults.push(...faultsBetween(given, parsed.success ? parsed.data : rightOf(given)));
  const keys = parseEncryptionKeys(given.TOKEN_ENCRYPTION_KEYS, faults);
  const manifest = parseManifest(manifestText, faults);
  if (faults.length > 0 || !parsed.success || !manifest) throw new ConfigError(faults);
  return freeze(buildConfig(parsed.data, keys, manifest));
}

function buildConfig(env: Environment, encryptionKeys: Config['encryptionKeys'], manifest: Manifest): Config {
  const { scopes } = manifest.oauth_config;
  const botScopes = env.SLACK_SCOPES ?? [...new Set([...scopes.bot, ...scopes.bot_optional])];
  const {
    DATABASE_URL: database,
    NOTIFY_SMTP_URL: smtpUrl,
    NOTIFY_EMAIL_FROM: from,
    NOTIFY_EMAIL_TO: to,
  } = env;
  const secrets = [
    env.SLACK_CLIENT_SECRET,
    env.SLACK_SIGNING_SECRET,
    env.OPERATOR_PASSWORD,
    env.METRICS_TOKEN,
    env.NOTIFY_SLACK_WEBHOOK_URL,
    env.NOTIFY_SMTP_URL,
    ...(encryptionKeys ?? []).map((key) => key.base64),
    ...(database.kind === 'postgres' ? passwordsOf(database.url) : []),
  ];
  return {
    production: env.NODE_ENV === 'production',
    app: { name: manifest.display_information.name, description: manifest.display_information.description },
    slack: {
      clientId: env.SLACK_CLIENT_ID,
      clientSecret: env.SLACK_CLIENT_SECRET,
      signingSecret: env.SLACK_SIGNING_SECRET,
      throughProxy: env.NODE_USE_ENV_PROXY === '1',
      authorizationUrl: env.SLACK_AUTHORIZATION_URL,
      apiUrl: env.SLACK_API_URL.endsWith('/') ? env.SLACK_API_URL : `${env.SLACK_API_URL}/`,
      botScopes,
      optionalBotScopes: scopes.bot_optional.filter((scope) => botScopes.includes(scope)),
      userScopes: env.SLACK_USER_SCOPES ?? [...new Set([...scopes.user, ...scopes.user_optional])],
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
    privacyUrl: env.PRIVACY_URL,
    supportUrl: env.SUPPORT_URL,
    operatorPassword: env.OPERATOR_PASSWORD,
    metricsToken: env.METRICS_TOKEN,
    notify: {
      slackWebhookUrl: env.NOTIFY_SLACK_WEBHOOK_URL,
      mail: smtpUrl && from && to ? { smtpUrl, from, to } : undefined,
    },
    logLevel: env.LOG_LEVEL,
    secrets: secrets.filter((value): value is string => value !== undefined),
  };
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}

/**
 * `.env` under the environment, as they stand: for whoever looks for what is wrong.
 * @throws ConfigError where `.env` cannot be read
 */
export function readEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return withDotenv(environment);
}

/**
 * Reads `.env` (if there is one; real variables win over it) and `manifest.json`, and parses both.
 * @throws ConfigError
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return parseConfig(withDotenv(environment), readManifest());
}

/**
 * Reads PUBLIC_URL alone: the manifest is printed before Slack knows the app, when there is no secret to be read.
 * @throws ConfigError
 */
export function readPublicUrl(environment: NodeJS.ProcessEnv = process.env): string {
  const faults: ConfigFault[] = [];
  const given = plainValues(withDotenv(environment), ['PUBLIC_URL'], faults);
  const parsed = environmentSchema.pick({ PUBLIC_URL: true }).safeParse(given);
  if (!parsed.success) faults.push(...faultsOf(parsed.error));
  if (faults.length > 0 || !parsed.success) throw new ConfigError(faults);
  return parsed.data.PUBLIC_URL.origin;
}
