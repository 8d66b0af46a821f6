import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { readPublicUrl } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import { environmentSchema, missedPort, problemsOf } from '../../config/environment-schema.ts';

/** What `setup` must know. */
export interface Settings {
  publicUrl: string;
  clientId: string;
  clientSecret: string;
  signingSecret: string;
  production: boolean;
  /** The links that changed. The keys are the names of environment variables. */
  links: Readonly<Partial<Record<LinkName, string>>>;
}

/** The links of the app's pages, in the order in which `setup` asks for them. */
export const linkNames = ['PRIVACY_URL', 'SUPPORT_URL'] as const;
export type LinkName = (typeof linkNames)[number];

/** Says what is wrong with a link and how to fix it; undefined if the link is right or empty. */
export function linkProblem(name: LinkName, text: string): string | undefined {
  if (text.trim() === '') return undefined;
  const { error } = environmentSchema.shape[name].safeParse(text.trim());
  return (
    error &&
    problemsOf(error)
      .map(({ problem, fix }) => `It ${problem}: ${fix}`)
      .join('; ')
  );
}

/** Says what is wrong with a public URL and how to fix it; undefined if the URL is valid. */
export function publicUrlProblem(text: string): string | undefined {
  if (text.trim() === '')
    return 'Give the address where browsers will reach Foyer, such as https://foyer.example.com';
  try {
    readPublicUrl({ PUBLIC_URL: text.trim() });
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ problem, fix }) => `It ${problem}: ${fix}`).join('; ');
  }
}

/** Returns the URL as the configuration reads it: without a trailing slash. */
export function publicUrlOf(text: string): string {
  return readPublicUrl({ PUBLIC_URL: text.trim() });
}

/** Returns advice about a URL that is not https; undefined for an https URL. */
export function httpAdvice(publicUrl: string): string | undefined {
  if (publicUrl.startsWith('https:')) return undefined;
  return (
    `${publicUrl} is not https. Slack redirects only to https addresses, and its events must reach this ` +
    'machine: while you develop, open a tunnel (cloudflared, ngrok) and give its https address; later, put a TLS proxy ' +
    'in front. Against the sandbox, http is fine.'
  );
}

/** Says what is wrong with a value copied from Slack's page; undefined if the value looks right. */
export function credentialProblem(text: string): string | undefined {
  if (text.trim() === '') return 'Copy it from the app’s Basic Information page';
  return /[\s\p{Cc}]/u.test(text.trim()) ? 'It contains spaces or line breaks: copy it again' : undefined;
}

/**
 * Says what is wrong with a Client ID; undefined if it looks right. Only `setup` calls this. The start and the other
 * commands accept any id, in case Slack changes the format.
 */
export function clientIdProblem(text: string): string | undefined {
  if (/^\d+\.\d+$/.test(text.trim())) return undefined;
  const isAppId = /^A[A-Z0-9]{6,}$/.test(text.trim());
  return `A Client ID is two numbers with a dot between them, such as 1234567890.1234567890${isAppId ? ' (this is the App ID)' : ''}: copy it from the app’s Basic Information page`;
}

/**
 * Returns the variables that `setup` writes. Includes PORT if Foyer would not listen on the port of the public URL. If
 * neither TOKEN_ENCRYPTION_KEYS nor a key file exists, adds a new
 * encryption key; if one exists, a new key could not decrypt the stored tokens. The key gets a random id, so that a
 * lost key is reported as missing and not as wrong. `newKeyId` is null if no key was created.
 */
export function setupVariables(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): { variables: Record<string, string>; newKeyId: string | null } {
  const variables: Record<string, string> = {
    PUBLIC_URL: settings.publicUrl,
    SLACK_CLIENT_ID: settings.clientId,
    SLACK_CLIENT_SECRET: settings.clientSecret,
    SLACK_SIGNING_SECRET: settings.signingSecret,
    ...settings.links,
  };
  if (settings.production) variables.NODE_ENV = 'production';
  const { PORT: port = '', TRUST_PROXY: proxies = '' } = environment;
  const missed = missedPort({
    publicUrl: settings.publicUrl,
    port: Number(port.trim() || 3000),
    trustProxy: Number(proxies.trim() || 0),
  });
  if (missed !== undefined) variables.PORT = String(missed);
  if (environment.TOKEN_ENCRYPTION_KEYS?.trim() || existsSync(keyFileOf(environment, folder))) {
    return { variables, newKeyId: null };
  }
  const newKeyId = `main-${randomBytes(3).toString('hex')}`;
  variables.TOKEN_ENCRYPTION_KEYS = `${newKeyId}:${randomBytes(32).toString('base64')}`;
  return { variables, newKeyId };
}

function keyFileOf(environment: Readonly<Record<string, string | undefined>>, folder: string): string {
  const url = environment.DATABASE_URL?.trim() || 'file:./data/foyer.db';
  const path = url.replace(/^file:/, '').replace(/^\/\/(?=\/)/, '');
  return `${isAbsolute(path) ? path : join(folder, path)}.key`;
}
