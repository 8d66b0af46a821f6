import type { Config } from '../../config/config.ts';
import { withDecoded } from '../../config/database-target.ts';
import { environmentSchema } from '../../config/environment-schema.ts';
import { plainValues } from '../../config/plain-values.ts';

type Variables = Readonly<Record<string, string | undefined>>;
type VariableName = keyof typeof environmentSchema.shape;

/**
 * The variables whose values a support bundle shows. A variable is not on this list if its value is a secret, may
 * contain a secret (a URL with a password, for example), or names a person.
 */
const harmless: readonly VariableName[] = [
  'SLACK_CLIENT_ID',
  'PUBLIC_URL',
  'PORT',
  'HOST',
  'TRUST_PROXY',
  'SLACK_SCOPES',
  'SLACK_USER_SCOPES',
  'CONNECT_RETURN_ORIGINS',
  'SIGN_IN',
  'NODE_USE_ENV_PROXY',
  'LOG_SERVICE',
  'LOG_LEVEL',
  'TRACING',
  'NODE_ENV',
];

/** Whether a variable is set, and its value if the value is harmless and valid. */
export interface VariableState {
  set: boolean;
  value?: string;
}

/** Describes the variables that Foyer reads, and no others. */
export function describeVariables(environment: Variables): Record<string, VariableState> {
  const names = Object.keys(environmentSchema.shape) as VariableName[];
  const given = plainValues(environment, names, []);
  return Object.fromEntries(
    names.map((name): [string, VariableState] => {
      const value = given[name];
      if (value === undefined) return [name, { set: false }];
      // An invalid value may be a secret that was pasted into the wrong line.
      const isShown = harmless.includes(name) && environmentSchema.shape[name].safeParse(value).success;
      return [name, isShown ? { set: true, value } : { set: true }];
    }),
  );
}

/** Describes the configuration that Foyer starts with: which features are on, without any secret. */
export function describeConfig(config: Config) {
  const { slack, http, notify } = config;
  return {
    production: config.production,
    publicUrl: http.publicUrl,
    basePath: http.basePath,
    host: http.host ?? null,
    port: http.port,
    trustProxy: http.trustProxy,
    database: config.database.kind,
    keysFrom: config.encryptionKeys ? 'environment' : 'key file',
    keys: config.encryptionKeys?.length ?? null,
    botScopes: slack.botScopes,
    optionalBotScopes: slack.optionalBotScopes,
    userScopes: slack.userScopes,
    memberScopes: slack.memberScopes,
    connects: config.connect !== undefined,
    signsIn: config.signIn !== undefined,
    operatorPassword: config.operatorPassword !== undefined,
    operatorSlackUsers: config.operatorSlackUsers.length,
    notifiesBy: { webhook: notify.slackWebhookUrl !== undefined, mail: notify.mail !== undefined },
    tracing: config.tracing,
    logLevel: config.logLevel,
  };
}

const secretName = /SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|KEY|CREDENTIAL|WEBHOOK|SMTP/i;

/**
 * Returns the secrets in an environment, including secrets that Foyer does not accept: if there is no usable
 * configuration, nothing else lists them. Includes other programs' variables, since an error may quote these too.
 */
export function secretsOf(environment: Variables): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) => {
    const plain = value.trim().replace(/^["'`]|["'`]$/g, '');
    // The password in a URL: everything between the user and the last @, or the parameter `password` of the query.
    const [, inAddress] = /:\/\/[^\s:/@]*:(\S+)@/.exec(plain) ?? [];
    const [, inQuery] = /[?&]password=([^\s&]+)/.exec(plain) ?? [];
    const passwords = [inAddress, inQuery].filter((text) => text !== undefined).flatMap(withDecoded);
    if (!secretName.test(name)) return passwords;
    // Keys are given as id:base64, comma separated.
    const keys = plain.split(',').map((entry) => entry.slice(entry.indexOf(':') + 1).trim());
    return [value.trim(), plain, ...passwords, ...keys];
  });
}
