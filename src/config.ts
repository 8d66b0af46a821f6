import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import { z } from 'zod';

/**
 * Why one file: whoever asks "what can be set, and what happens if it is wrong?" finds the whole answer here.
 * Nothing else in `src/` reads `process.env`.
 */

/** One thing that is wrong with the environment, and what to do about it. */
export interface ConfigFault {
  name: string;
  problem: string;
  mend: string;
}

/** Thrown when the environment is unusable; `faults` lists everything that is wrong, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';
  readonly faults: readonly ConfigFault[];
  constructor(faults: readonly ConfigFault[]) {
    const list = faults.map((fault) => `  ${fault.name}: ${fault.problem}\n    → ${fault.mend}`).join('\n');
    super(`Foyer cannot start with this environment (${faults.length} to mend):\n${list}`);
    this.faults = faults;
  }
}

/** Where installations live: a SQLite file, or a Postgres server. */
export type DatabaseTarget = { kind: 'sqlite'; file: string } | { kind: 'postgres'; url: string };

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

const manifestSchema = z.object({
  display_information: z.object({ name: z.string().min(1), description: z.string().default('') }),
  oauth_config: z.object({
    scopes: z.object({
      bot: z.array(z.string()).default([]),
      bot_optional: z.array(z.string()).default([]),
      user: z.array(z.string()).default([]),
      user_optional: z.array(z.string()).default([]),
    }),
  }),
});

const scopeList = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter(Boolean))
  .refine((scopes) => scopes.every((scope) => /^[a-z][a-z0-9_.:-]*$/.test(scope)), {
    error: 'is not a list of scopes',
    params: { mend: 'separate Slack scopes with commas: chat:write,users:read' },
  });

const webUrl = (mend: string) =>
  z.string().refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), {
    error: 'is not an http(s) address',
    params: { mend },
  });

const wholeNumber = (most: number, mend: string) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: 'is not a whole number' })
    .transform(Number)
    .refine((value) => value <= most, { error: `is larger than ${most}`, params: { mend } });

const secret = (label: string) => z.string({ error: `is missing: ${label}` }).min(1);

/** The mends of faults whose own check carries none, by variable. */
const mends: Readonly<Record<string, string>> = {
  SLACK_CLIENT_ID:
    'copy it from your app’s Basic Information page at api.slack.com/apps (npm run demo needs none)',
  SLACK_CLIENT_SECRET: 'copy it from your app’s Basic Information page at api.slack.com/apps',
  SLACK_SIGNING_SECRET: 'copy it from your app’s Basic Information page at api.slack.com/apps',
  PORT: 'give a port from 0 to 65535, or leave it out for 3000',
  TRUST_PROXY: 'give the number of proxies in front of Foyer, or leave it out for none',
  LOG_LEVEL: 'use one of fatal, error, warn, info, debug, trace, silent',
  NODE_ENV: 'use production, development or test',
};

const environmentSchema = z.object({
  SLACK_CLIENT_ID: secret('Slack’s id of your app'),
  SLACK_CLIENT_SECRET: secret('the secret that exchanges OAuth codes'),
  SLACK_SIGNING_SECRET: secret('the secret that proves a request is Slack’s'),
  PUBLIC_URL: webUrl('give the address where browsers reach Foyer, such as https://foyer.example.com')
    .default('http://localhost:3000')
    .transform((text) => new URL(text))
    .refine((url) => url.search === '' && url.hash === '' && url.username === '' && url.pathname === '/', {
      error: 'has more than scheme, host and port',
      params: {
        mend: 'leave out path, query, fragment and credentials: Slack’s and Foyer’s paths come behind it',
      },
    }),
  PORT: wholeNumber(65535, 'give a port from 0 to 65535').default(3000),
  HOST: z.string().optional(),
  DATABASE_URL: z
    .string()
    .default('file:./data/foyer.db')
    .refine((text) => /^file:.+/i.test(text) || isPostgresUrl(text), {
      error: 'is neither a file nor a Postgres address',
      params: {
        mend: 'use file:./data/foyer.db or postgres://user:password@host/database (with %40 for an @ in the password)',
      },
    }),
  TOKEN_ENCRYPTION_KEYS: z.string().optional(),
  SLACK_SCOPES: scopeList.optional(),
  SLACK_USER_SCOPES: scopeList.optional(),
  SLACK_SUCCESS_REDIRECT_URL: webUrl(
    'give the whole address, such as https://app.example.com/welcome',
  ).optional(),
  SLACK_AUTHORIZATION_URL: webUrl('leave it out for Slack’s own').default(
    'https://slack.com/oauth/v2/authorize',
  ),
  SLACK_API_URL: webUrl('leave it out for Slack’s own').default('https://slack.com/api/'),
  NODE_USE_ENV_PROXY: z.string().optional(),
  PRIVACY_URL: webUrl('give the whole address of your privacy policy').optional(),
  SUPPORT_URL: z
    .string()
    .refine((text) => /^(https?:\/\/|mailto:)/i.test(text) && URL.canParse(text), {
      error: 'is neither a web nor a mail address',
      params: { mend: 'give https://… or mailto:…' },
    })
    .optional(),
  OPERATOR_PASSWORD: z.string().min(12, { error: 'is shorter than 12 characters' }).optional(),
  NOTIFY_SLACK_WEBHOOK_URL: webUrl('copy it from Slack’s Incoming Webhooks page').optional(),
  NOTIFY_SMTP_URL: z
    .string()
    .refine((text) => /^smtps?:\/\/.+/i.test(text) && URL.canParse(text), { error: 'is not an SMTP address' })
    .optional(),
  NOTIFY_EMAIL_FROM: z.string().optional(),
  NOTIFY_EMAIL_TO: z.string().optional(),
  TRUST_PROXY: wholeNumber(10, 'count only the proxies that you run').default(0),
  METRICS_TOKEN: z.string().optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  NODE_ENV: z.enum(['production', 'development', 'test']).default('development'),
});
type Environment = z.output<typeof environmentSchema>;

const otherMends: Readonly<Record<string, string>> = {
  OPERATOR_PASSWORD: 'choose a longer one: it guards every installation (openssl rand -base64 18)',
  NOTIFY_SMTP_URL:
    'give smtp://user:password@host:587 or smtps://…; in the password write # / ? @ : % as %23 %2F %3F %40 %3A %25',
};

function faultsOf(error: z.ZodError): ConfigFault[] {
  return error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment');
    const own = issue.code === 'custom' ? issue.params?.mend : undefined;
    const problem = issue.code === 'invalid_value' ? 'is not one of the known values' : issue.message;
    return {
      name,
      problem,
      mend: typeof own === 'string' ? own : (mends[name] ?? otherMends[name] ?? 'see .env.example'),
    };
  });
}

/** Faults that lie between variables, where each alone looks fine. */
function faultsBetween(environment: Environment): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const production = environment.NODE_ENV === 'production';
  if (production && !environment.TOKEN_ENCRYPTION_KEYS) {
    faults.push({
      name: 'TOKEN_ENCRYPTION_KEYS',
      problem: 'is missing, and production does not make a key by itself',
      mend: 'set it to main:KEY, where KEY is what `openssl rand -base64 32` prints, and keep a copy in a safe place',
    });
  }
  const { protocol, hostname } = environment.PUBLIC_URL;
  if (production && protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) {
    faults.push({
      name: 'PUBLIC_URL',
      problem: 'is http, and Slack sends people back to https addresses alone',
      mend: 'put a TLS proxy in front of Foyer and give its https address',
    });
  }
  if (isPostgresUrl(environment.DATABASE_URL) && !production && !environment.TOKEN_ENCRYPTION_KEYS) {
    faults.push({
      name: 'TOKEN_ENCRYPTION_KEYS',
      problem: 'is missing, and a Postgres database has no place beside it for a key file',
      mend: 'set it to main:KEY, where KEY is what `openssl rand -base64 32` prints, the same on every machine',
    });
  }
  const mail = [environment.NOTIFY_SMTP_URL, environment.NOTIFY_EMAIL_FROM, environment.NOTIFY_EMAIL_TO];
  if (mail.some(Boolean) && !mail.every(Boolean)) {
    faults.push({
      name: 'NOTIFY_SMTP_URL, NOTIFY_EMAIL_FROM, NOTIFY_EMAIL_TO',
      problem: 'are set in part',
      mend: 'set all three to report by mail, or none',
    });
  }
  return faults;
}

function parseKeys(
  text: string | undefined,
  faults: ConfigFault[],
): { id: string; base64: string }[] | undefined {
  if (!text) return undefined;
  const keys: { id: string; base64: string }[] = [];
  for (const entry of text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)) {
    const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/.exec(entry);
    const [, id, base64] = match ?? [];
    const known = keys.some((key) => key.id === id);
    if (id === undefined || base64 === undefined || Buffer.from(base64, 'base64').length !== 32 || known) {
      faults.push({
        name: 'TOKEN_ENCRYPTION_KEYS',
        problem: known
          ? `gives the key id ${id} twice`
          : `entry ${keys.length + 1} is not id:base64-of-32-bytes`,
        mend: known
          ? 'give each key an id of its own'
          : 'use main:KEY, where KEY is what `openssl rand -base64 32` prints',
      });
      return undefined;
    }
    keys.push({ id, base64 });
  }
  return keys.length === 0 ? undefined : keys;
}

function parseManifest(text: string, faults: ConfigFault[]): z.output<typeof manifestSchema> | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    faults.push({
      name: 'manifest.json',
      problem: `cannot be read: ${reason}`,
      mend: 'restore it from the repository',
    });
    return undefined;
  }
}

/**
 * Parses an environment into one frozen Config.
 * @throws ConfigError with every fault found, each with its mend.
 */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
  manifestText: string,
): Config {
  // An empty value means "not set": that is how .env files and compose files leave a variable out.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const faults: ConfigFault[] = [];
  const parsed = environmentSchema.safeParse(given);
  if (parsed.success) faults.push(...faultsBetween(parsed.data));
  else faults.push(...faultsOf(parsed.error));
  const keys = parseKeys(given.TOKEN_ENCRYPTION_KEYS, faults);
  const manifest = parseManifest(manifestText, faults);
  if (faults.length > 0 || !parsed.success || !manifest) throw new ConfigError(faults);
  return freeze(buildConfig(parsed.data, keys, manifest));
}

function buildConfig(
  env: Environment,
  encryptionKeys: Config['encryptionKeys'],
  manifest: z.output<typeof manifestSchema>,
): Config {
  const { scopes } = manifest.oauth_config;
  const botScopes = env.SLACK_SCOPES ?? [...new Set([...scopes.bot, ...scopes.bot_optional])];
  const { NOTIFY_SMTP_URL: smtpUrl, NOTIFY_EMAIL_FROM: from, NOTIFY_EMAIL_TO: to } = env;
  const secrets = [
    env.SLACK_CLIENT_SECRET,
    env.SLACK_SIGNING_SECRET,
    env.OPERATOR_PASSWORD,
    env.METRICS_TOKEN,
    env.NOTIFY_SLACK_WEBHOOK_URL,
    env.NOTIFY_SMTP_URL,
    ...(encryptionKeys ?? []).map((key) => key.base64),
    ...(isPostgresUrl(env.DATABASE_URL) ? passwordsOf(env.DATABASE_URL) : []),
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
    database: databaseTarget(env.DATABASE_URL),
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

function databaseTarget(url: string): DatabaseTarget {
  return isPostgresUrl(url) ? { kind: 'postgres', url } : { kind: 'sqlite', file: sqliteFile(url) };
}

/** Reads another database's URL as DATABASE_URL is read; undefined where it can be none. */
export function parseDatabaseUrl(url: string): DatabaseTarget | undefined {
  const { success } = environmentSchema.shape.DATABASE_URL.safeParse(url);
  return success ? databaseTarget(url) : undefined;
}

/** An @ behind the host is part of a password with a slash in it: taken for a database's name it would be printed. */
function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\/./i.test(text) && URL.canParse(text) && /^\/[^@]+$/.test(new URL(text).pathname);
}

/** The password as it stands in the URL, in either of its places, and as it is sent; nothing where there is none. */
function passwordsOf(url: string): string[] {
  const { password, searchParams } = new URL(url);
  const given = [password, searchParams.get('password') ?? ''].filter((text) => text !== '');
  return [...new Set(given.flatMap((text) => [text, decoded(text)]))];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A % that encodes nothing stands for itself.
    return text;
  }
}

/** `file:./data/foyer.db`, `file:/var/lib/foyer.db` and `file:///var/lib/foyer.db` all name a path. */
function sqliteFile(url: string): string {
  const path = url.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
  return isAbsolute(path) ? path : resolve(path);
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}

/** `.env` (if there is one) under the environment: real variables win over it. */
function withDotenv(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  let file: Record<string, string> = {};
  try {
    file = parseDotenv(readFileSync('.env'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return { ...file, ...environment };
}

/** `.env` under the environment, as they stand: for whoever looks for what is wrong. Throws the file system's errors. */
export function readEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return withDotenv(environment);
}

/** The text of the app's manifest. */
export function readManifest(): string {
  return readFileSync(new URL('../manifest.json', import.meta.url), 'utf8');
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
  const { PUBLIC_URL } = withDotenv(environment);
  const parsed = environmentSchema
    .pick({ PUBLIC_URL: true })
    .safeParse(PUBLIC_URL?.trim() ? { PUBLIC_URL } : {});
  if (!parsed.success) throw new ConfigError(faultsOf(parsed.error));
  return parsed.data.PUBLIC_URL.origin;
}
