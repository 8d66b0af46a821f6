import { z } from 'zod';
import type { ConfigProblem } from './config-error.ts';
import { parseDatabaseUrl } from './database-target.ts';
import { weakness } from './weak-secret.ts';

const scopeList = z
  .string()
  .transform((text) => [...new Set(text.split(/[\s,]+/).filter(Boolean))])
  .refine((scopes) => scopes.every((scope) => /^[a-z][a-z0-9_.:-]*$/.test(scope)), {
    error: 'is not a list of scopes',
    params: { fix: 'separate Slack scopes with commas: chat:write,users:read' },
  });

const hasCredentials = (url: URL): boolean => url.username !== '' || url.password !== '';

const webUrl = (fix: string) =>
  z.string().refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), {
    error: 'is not an http(s) address',
    params: { fix },
    abort: true,
  });

/**
 * Whether a host name or an IP address names this machine. For a URL of this machine, Foyer accepts plain http where it
 * otherwise requires https.
 */
export const isLoopback = (hostname: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);

/**
 * Returns the port of `publicUrl` if Foyer cannot be reached at that URL because it listens on another port. Checks
 * only plain http URLs of this machine that contain a port: https or TRUST_PROXY means that a proxy is in front of
 * Foyer. With PORT=0, Foyer listens on any free port, which no URL can contain in advance.
 */
export function missedPort(http: {
  publicUrl: string;
  port: number;
  trustProxy: number;
}): number | undefined {
  const url = new URL(http.publicUrl);
  const isDirect = url.protocol === 'http:' && isLoopback(url.hostname) && http.trustProxy === 0;
  if (!isDirect || url.port === '' || http.port === 0) return undefined;
  return Number(url.port) === http.port ? undefined : Number(url.port);
}

const isProtected = (url: URL): boolean => url.protocol === 'https:' || isLoopback(url.hostname);

/**
 * An address to which codes, tokens, secrets or signed results are sent. Plain http would expose them on the network.
 */
const protectedUrl = (fix: string) =>
  webUrl(fix).refine((text) => isProtected(new URL(text)), {
    error: 'uses plain http to another machine',
    params: { fix: `use https (plain http works only for this machine); ${fix}` },
  });

/** Origins such as `https://app.example.com`: only scheme, host and port. Duplicates are removed. */
const originList = z.string().transform((text, context) => {
  const origins = new Set<string>();
  for (const part of text.split(/[\s,]+/).filter(Boolean)) {
    const url = URL.canParse(part) ? new URL(part) : undefined;
    const isOrigin = url && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
    if (url && isOrigin && isProtected(url)) {
      origins.add(url.origin);
      continue;
    }
    const message = isOrigin
      ? 'contains a plain http origin on another machine'
      : 'is not a list of origins (scheme, host and port)';
    const fix = isOrigin
      ? 'use https: a result must not cross the network in plain text'
      : 'separate origins with commas: https://app.example.com,http://localhost:8000';
    context.addIssue({ code: 'custom', message, params: { fix } });
    return z.NEVER;
  }
  return [...origins];
});

/** A page of the host product. Foyer adds a claim to its query. */
const hostPage = (fix: string) =>
  webUrl(fix).refine(
    (text) => {
      const url = new URL(text);
      return isProtected(url) && !hasCredentials(url) && url.hash === '';
    },
    {
      error: 'uses plain http to another machine, or has credentials or a fragment',
      params: { fix },
    },
  );

/** A list of people, each with a workspace id (`T…/U…`), because several workspaces may have the same user id. */
const personList = z
  .string()
  .transform((text) => [...new Set(text.split(/[\s,]+/).filter(Boolean))])
  .refine((people) => people.every((person) => /^T[A-Z0-9]{1,30}\/[UW][A-Z0-9]{1,30}$/.test(person)), {
    error: 'is not a list of people',
    params: {
      fix: 'give each as workspace/user, separated by commas: T012AB3C4/U012AB3C4,T012AB3C4/U056DE7F8',
    },
  });

const wholeNumber = (most: number, fix: string) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: 'is not a whole number' })
    .transform(Number)
    .refine((value) => value <= most, { error: `is larger than ${most}`, params: { fix } });

/**
 * A value copied from Slack: visible ASCII without < and >. A value with < and > is probably still a placeholder. Foyer
 * refuses such values at startup, because Slack would refuse them later.
 */
const fromSlack = (label: string) =>
  z.string({ error: `is missing: ${label}` }).regex(/^[!-;=?-~]+$/, {
    error:
      'cannot be a value from Slack: it contains white space, an angle bracket, a control character or a non-ASCII character',
  });

const mailAddress = z.string().refine((text) => /[^\s@]@[^\s@]/.test(text), {
  error: 'is not an email address',
  params: { fix: 'write it as foyer@example.com or Foyer <foyer@example.com>' },
});

/** Refuses a secret that is easy to guess. */
const notWeak = (text: z.ZodString, leastLength: number) =>
  text.superRefine((secret, context) => {
    const problem = weakness(secret, leastLength);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

/** The fixes for variables whose own checks give no fix. */
const fixes: Readonly<Record<string, string>> = {
  SLACK_CLIENT_ID: 'copy it from your app’s Basic Information page at api.slack.com/apps',
  SLACK_CLIENT_SECRET: 'copy it from your app’s Basic Information page at api.slack.com/apps',
  SLACK_SIGNING_SECRET: 'copy it from your app’s Basic Information page at api.slack.com/apps',
  PORT: 'give a port from 0 to 65535, or leave it out to use 3000',
  TRUST_PROXY: 'give the number of proxies in front of Foyer, or leave it out for none',
  LOG_SERVICE: 'give a name such as foyer-production, or leave it out',
  TRACING: 'use on or off',
  LOG_LEVEL: 'use one of fatal, error, warn, info, debug, trace, silent',
  NODE_ENV: 'use production, development or test',
  SIGN_IN: 'use on or off: on lets people sign in with Slack',
  NODE_USE_ENV_PROXY:
    'use 1 to send calls through the proxy in HTTPS_PROXY, or leave it out: Node accepts no other value',
  METRICS_TOKEN: 'use what `openssl rand -hex 24` prints',
  OPERATOR_PASSWORD:
    'choose a stronger password, because it protects every installation: use what `openssl rand -base64 18` prints',
  NOTIFY_SMTP_URL:
    'give smtp://user:password@host:587 or smtps://…; in the password write # / ? @ : % as %23 %2F %3F %40 %3A %25',
};

/** Every variable, with its default and its format. */
export const environmentSchema = z.object({
  SLACK_CLIENT_ID: fromSlack('the Client ID of your app'),
  SLACK_CLIENT_SECRET: fromSlack('the secret that Foyer needs to exchange OAuth codes'),
  SLACK_SIGNING_SECRET: fromSlack('the secret that proves that a request comes from Slack'),
  PUBLIC_URL: webUrl('give the address where browsers reach Foyer, such as https://foyer.example.com')
    .default('http://localhost:3000')
    .transform((text) => new URL(text))
    .refine((url) => url.search === '' && url.hash === '' && !hasCredentials(url) && url.pathname === '/', {
      error: 'has more than scheme, host and port',
      params: {
        fix: 'leave out path, query, fragment and credentials: Foyer adds its own paths',
      },
    }),
  PORT: wholeNumber(65535, 'give a port from 0 to 65535').default(3000),
  HOST: z.string().default('127.0.0.1'),
  DATABASE_URL: z
    .string()
    .default('file:./data/foyer.db')
    .transform((url, context) => {
      const target = parseDatabaseUrl(url);
      if (target) return target;
      const fix =
        'use file:./data/foyer.db (a path and nothing after it) or postgres://user:password@host/database (with %40 for an @ in the password)';
      context.addIssue({
        code: 'custom',
        message: 'is neither a file nor a Postgres address',
        params: { fix },
      });
      return z.NEVER;
    }),
  TOKEN_ENCRYPTION_KEYS: z.string().optional(),
  SLACK_SCOPES: scopeList
    .refine((scopes) => scopes.length > 0, {
      error: 'names no scope, but Slack requires at least one',
      params: { fix: 'leave it out to use the scopes of manifest.json' },
    })
    .optional(),
  SLACK_USER_SCOPES: scopeList.optional(),
  SLACK_SUCCESS_REDIRECT_URL: protectedUrl(
    'give the whole address, such as https://app.example.com/welcome',
  ).optional(),
  SLACK_ERROR_REDIRECT_URL: protectedUrl(
    'give the whole address, such as https://app.example.com/slack-failed',
  ).optional(),
  CONNECT_SECRET: z
    .string()
    .refine((text) => Buffer.byteLength(text) >= 32, {
      error: 'is shorter than 32 bytes',
      params: { fix: 'use what `openssl rand -base64 32` prints, the same in Foyer and in your backend' },
    })
    .optional(),
  CONNECT_RETURN_ORIGINS: originList.optional(),
  CONNECT_CLAIM_URL: hostPage(
    'give an https address of your product, such as https://app.example.com/slack/claim',
  ).optional(),
  SLACK_AUTHORIZATION_URL: protectedUrl('leave it out to use Slack’s own address').default(
    'https://slack.com/oauth/v2/authorize',
  ),
  SLACK_API_URL: protectedUrl('leave it out to use Slack’s own address')
    .refine((text) => !/[?#]/.test(text), {
      error: 'has a query or a fragment, but Foyer appends the method’s name to the address',
      params: { fix: 'leave it out to use Slack’s own address' },
    })
    .default('https://slack.com/api/'),
  SLACK_OPENID_URL: protectedUrl('leave it out to use Slack’s own address')
    .refine((text) => !/[?#]/.test(text) && !hasCredentials(new URL(text)), {
      error:
        'has a query, a fragment or credentials, but Foyer appends the path of the discovery document to the address',
      params: { fix: 'leave it out to use Slack’s own address' },
    })
    .default('https://slack.com'),
  SIGN_IN: z.enum(['on', 'off']).default('off'),
  OPERATOR_SLACK_USERS: personList.optional(),
  NODE_USE_ENV_PROXY: z.enum(['0', '1']).optional(),
  PRIVACY_URL: webUrl('give the whole address of your privacy policy').optional(),
  SUPPORT_URL: z
    .string()
    .refine((text) => /^(https?:\/\/|mailto:)/i.test(text) && URL.canParse(text), {
      error: 'is neither a web address nor an email address',
      params: { fix: 'give https://… or mailto:…' },
    })
    .optional(),
  OPERATOR_PASSWORD: notWeak(z.string(), 12).optional(),
  NOTIFY_SLACK_WEBHOOK_URL: protectedUrl('copy it from Slack’s Incoming Webhooks page').optional(),
  NOTIFY_SMTP_URL: z
    .string()
    .refine((text) => /^smtps?:\/\/.+/i.test(text) && URL.canParse(text), { error: 'is not an SMTP address' })
    .optional(),
  NOTIFY_EMAIL_FROM: mailAddress.optional(),
  NOTIFY_EMAIL_TO: mailAddress.optional(),
  TRUST_PROXY: wholeNumber(10, 'count only the proxies that you run').default(0),
  METRICS_TOKEN: notWeak(
    z.string().regex(/^[!-~]+$/, {
      error:
        'contains white space, a control character or a non-ASCII character, which a bearer token cannot contain',
      abort: true,
    }),
    16,
  ).optional(),
  LOG_SERVICE: z
    .string()
    .regex(/^[\w.:/-]{1,60}$/, { error: 'is not a name of at most 60 letters, digits or . _ : / -' })
    .optional(),
  TRACING: z.enum(['on', 'off']).default('off'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  NODE_ENV: z.enum(['production', 'development', 'test']).default('development'),
});

/** The environment, with each variable parsed on its own. */
export type Environment = z.output<typeof environmentSchema>;

/** Returns the values of the variables that are valid, and the defaults of those that are not set. */
export function rightOf(given: Readonly<Record<string, string>>): Partial<Environment> {
  const right = Object.entries(environmentSchema.shape).flatMap(([name, schema]) => {
    const parsed = schema.safeParse(given[name]);
    return parsed.success ? [[name, parsed.data] as const] : [];
  });
  // Each value was parsed by the schema of its own variable.
  return Object.fromEntries(right) as Partial<Environment>;
}

/** The problems that the schema found, each with its fix. */
export function problemsOf(error: z.ZodError): ConfigProblem[] {
  return error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment');
    const own = issue.code === 'custom' ? issue.params?.fix : undefined;
    const problem = issue.code === 'invalid_value' ? 'is not one of the known values' : issue.message;
    return {
      name,
      problem,
      fix: typeof own === 'string' ? own : (fixes[name] ?? 'see .env.example'),
    };
  });
}
