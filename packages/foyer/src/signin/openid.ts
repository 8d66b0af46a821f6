import { createHash } from 'node:crypto';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  clockSkew,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  type IDToken,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  type ServerMetadata,
} from 'openid-client';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/environment-schema.ts';
import { visibleText, visibleValue } from '../slack/slack-text.ts';
import type { SlackTransport } from '../slack/slack-transport.ts';

/**
 * Sign in with Slack as OpenID Connect (docs.slack.dev/authentication/sign-in-with-slack): openid-client implements the
 * protocol, and this file implements what is specific to Slack.
 *
 * Why Foyer checks the signature although the ID token comes straight from Slack over TLS (the standard lets a client
 * omit the check): a proxy that decrypts TLS, or a wrong SLACK_OPENID_URL, must not decide who signs in.
 *
 * Why Foyer drops the access token and does not revoke it: Slack issues one user token per person and app. Revoking
 * this one could revoke the token that the same person granted with an install.
 *
 * Why PKCE only if the discovery document lists S256: Slack's document does not list it, and turning PKCE on in the
 * app's settings makes the app a public client, which cannot be undone (docs.slack.dev/changelog/2026/03/30/pkce). The
 * nonce and the client secret protect the code either way.
 */

const scope = 'openid profile email';
const metadataLastsMs = 3_600_000;
const keysLastMs = 5 * 60_000;
/**
 * If the discovery document cannot be read, Foyer waits this long before it asks Slack again: strangers, who can start
 * sign-ins, must not decide how often Foyer asks.
 */
const failureLastsMs = 2000;
const callTimeoutMs = 4500;
const clockToleranceSeconds = 60;
/** Foyer refuses longer answers. A discovery document or a set of keys has only a few kilobytes. */
const mostBytes = 256 * 1024;

/** Who signed in, according to Slack's ID token. */
export interface SlackIdentity {
  userId: string;
  teamId: string;
  teamName: string | null;
  enterpriseId: string | null;
  name: string | null;
  /** Null if the person did not share it, or it is not verified. */
  email: string | null;
  avatarUrl: string | null;
  locale: string | null;
  /** When Slack issued the token, in milliseconds, by Slack's clock. */
  issuedAt: number;
}

/** Thrown if a sign-in fails at Slack, or Slack's answer cannot be trusted. Contains no secret. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
  /**
   * unreachable: no usable answer. code_invalid: the code was already used, has expired or is not Slack's.
   * misconfigured: Slack rejects our settings. untrusted: the ID token or the discovery document fails a check.
   */
  readonly code: 'unreachable' | 'code_invalid' | 'misconfigured' | 'untrusted';
  /** An error code: Slack's own, the connection's, or the name of the failed check. */
  readonly reason: string;
  constructor(code: SignInError['code'], reason: string) {
    super(`a sign-in with Slack failed: ${code} (${reason})`);
    this.code = code;
    this.reason = reason;
  }
}

/** What Foyer needs to remember from the start of a sign-in until the callback, sealed inside the OAuth `state`. */
interface SignInSecrets {
  nonce: string;
  /** PKCE; absent if Slack does not offer it. */
  verifier?: string;
}

/**
 * Creates the functions of a sign-in. `transport` must not share connections with runs: strangers can start many
 * sign-ins, and runs must not wait for them.
 */
export function createOpenId(deps: {
  config: Pick<Config, 'slack' | 'http'> & { signIn: NonNullable<Config['signIn']> };
  transport: SlackTransport;
  now: () => number;
}) {
  const { config, transport, now } = deps;
  const issuer = new URL(config.signIn.issuer);
  const redirectUri = `${config.http.baseUrl}${callbackPath}`;
  // Plain http is allowed only to this machine; the configuration refuses any other http address.
  const insecure = issuer.protocol === 'http:' && isLoopback(issuer.hostname) ? [allowInsecureRequests] : [];

  const slackFetch: CustomFetch = async (url, { method, headers, body, signal }) => {
    const limit = AbortSignal.timeout(callTimeoutMs);
    const answer = await transport(url, {
      method,
      headers,
      body: body === undefined || body === null ? null : String(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      mostBytes,
    });
    return new Response(answer.body.length === 0 ? null : new Uint8Array(answer.body), {
      // Slack sends errors with status 200 too. The library reads an answer with status 400 as an OAuth error.
      status: isSlackError(answer.body) ? 400 : answer.status,
      headers: answer.headers,
    });
  };

  let known: { at: number; metadata: Promise<ServerMetadata>; failed: boolean } | undefined;
  /** Slack's signing keys (a JSON Web Key Set), as text. */
  let keys: { at: number; text: string } | undefined;

  /**
   * The library's `fetch` for one sign-in. If the library requests Slack's keys, it gets the cached ones. If these are
   * five minutes old or lack the key that signed the ID token, Foyer fetches the keys again: Slack may have changed
   * them, and a sign-in that failed because of an old key could not be repeated, since its code works only once.
   */
  function fetchFor(jwksUri: string | undefined): CustomFetch {
    let keyId: string | undefined;
    return async (url, options) => {
      if (url !== jwksUri) {
        const answer = await slackFetch(url, options);
        keyId = keyIdOf(await answer.clone().text());
        return answer;
      }
      const isKnown =
        keys !== undefined &&
        Math.abs(now() - keys.at) < keysLastMs &&
        keyId !== undefined &&
        keys.text.includes(JSON.stringify(keyId));
      if (!isKnown) {
        const answer = await slackFetch(url, options);
        if (!answer.ok) return answer;
        keys = { at: now(), text: await answer.text() };
      }
      return new Response(keys?.text, { headers: { 'Content-Type': 'application/json' } });
    };
  }

  /**
   * Reads Slack's discovery document. For all callers, Foyer caches the document for an hour, and a failed read for two
   * seconds.
   */
  function metadata(): Promise<ServerMetadata> {
    const age = known === undefined ? Number.POSITIVE_INFINITY : now() - known.at;
    if (known && age >= 0 && age < (known.failed ? failureLastsMs : metadataLastsMs)) return known.metadata;
    const asked = {
      at: now(),
      failed: false,
      metadata: discovery(issuer, config.slack.clientId, undefined, undefined, {
        execute: insecure,
        [customFetch]: slackFetch,
        timeout: callTimeoutMs / 1000,
      }).then((found) => {
        const { authorization_endpoint, token_endpoint, jwks_uri } = found.serverMetadata();
        // Foyer redirects the browser to the first URL, sends the client secret to the second, and checks signatures
        // with the keys from the third.
        if (![authorization_endpoint, token_endpoint, jwks_uri].every(isSafeEndpoint))
          throw new SignInError('untrusted', 'discovery_unsafe');
        return found.serverMetadata();
      }),
    };
    asked.metadata.catch(() => {
      asked.failed = true;
    });
    known = asked;
    return asked.metadata;
  }

  /** Creates the library's configuration for one call, with the current time of Foyer's clock. */
  async function configuration(): Promise<Configuration> {
    const { clientId, clientSecret } = config.slack;
    const server = await metadata();
    const made = new Configuration(
      server,
      clientId,
      {
        client_secret: clientSecret,
        // This algorithm is fixed: neither the discovery document nor the token's header can choose another one.
        id_token_signed_response_alg: 'RS256',
        [clockSkew]: Math.round((now() - Date.now()) / 1000),
        [clockTolerance]: clockToleranceSeconds,
      },
      ClientSecretPost(clientSecret),
    );
    made[customFetch] = fetchFor(server.jwks_uri);
    made.timeout = callTimeoutMs / 1000;
    enableNonRepudiationChecks(made);
    for (const allow of insecure) allow(made);
    return made;
  }

  return {
    /** Creates the secrets of one sign-in. @throws SignInError */
    async secrets(): Promise<SignInSecrets> {
      const made = await reached(configuration());
      const hasPkce = made.serverMetadata().supportsPKCE();
      return { nonce: randomNonce(), ...(hasPkce && { verifier: randomPKCECodeVerifier() }) };
    },

    /** Returns the address where the browser signs in. @throws SignInError */
    async authorizationUrl(state: string, { nonce, verifier }: SignInSecrets): Promise<string> {
      const parameters = {
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        ...(verifier !== undefined && {
          code_challenge: await calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        }),
      };
      return buildAuthorizationUrl(await reached(configuration()), parameters).href;
    },

    /** Exchanges the code in a callback's query for the person's identity. @throws SignInError */
    async identify(
      query: URLSearchParams,
      state: string,
      { nonce, verifier }: SignInSecrets,
    ): Promise<SlackIdentity> {
      const made = await reached(configuration());
      const callback = new URL(redirectUri);
      callback.search = query.toString();
      const tokens = await reached(
        authorizationCodeGrant(made, callback, {
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
          ...(verifier !== undefined && { pkceCodeVerifier: verifier }),
        }),
      );
      return identityOf(tokens.claims(), { accessToken: tokens.access_token, now: now() });
    },
  };
}

export type OpenId = ReturnType<typeof createOpenId>;

/**
 * The callback's path, below the base path. The manifest must list its full address as one of the app's redirect URLs.
 */
const callbackPath = '/slack/signin/callback';

function isSafeEndpoint(address: string | undefined): boolean {
  if (address === undefined || !URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isSlackError(body: Buffer): boolean {
  // A Slack error looks like `{"ok":false,…}`. A key set or a discovery document has no `ok` field.
  if (body.length > 4096 || !body.includes('"ok"')) return false;
  try {
    return (JSON.parse(body.toString()) as { ok?: unknown } | null)?.ok === false;
  } catch {
    return false;
  }
}

/** Returns the key id in the header of an answer's ID token; undefined if there is none. */
function keyIdOf(answer: string): string | undefined {
  try {
    return decodeProtectedHeader((JSON.parse(answer) as { id_token: string }).id_token).kid;
  } catch {
    // No error here: the library checks the same answer later, and then reports what is wrong with it.
    return undefined;
  }
}

const claimsSchema = z.object({
  iat: z.number(),
  at_hash: z.string().optional(),
  sub: z.string(),
  'https://slack.com/user_id': z.string().regex(/^[UW][A-Z0-9]{1,30}$/),
  'https://slack.com/team_id': z.string().regex(/^T[A-Z0-9]{1,30}$/),
  'https://slack.com/enterprise_id': z
    .string()
    .regex(/^E[A-Z0-9]{1,30}$/)
    .nullish()
    .catch(null),
  email_verified: z.boolean().nullish().catch(false),
});

function identityOf(
  claims: IDToken | undefined,
  { accessToken, now }: { accessToken: string; now: number },
): SlackIdentity {
  const parsed = claimsSchema.safeParse(claims);
  if (!claims || !parsed.success) throw new SignInError('untrusted', 'claims_incomplete');
  const { 'https://slack.com/user_id': userId, 'https://slack.com/team_id': teamId, ...rest } = parsed.data;
  if (rest.iat * 1000 > now + clockToleranceSeconds * 1000)
    throw new SignInError('untrusted', 'issued_later');
  // If the ID token contains the hash of another access token, the two tokens come from different answers (OpenID
  // Connect Core, 3.1.3.8).
  if (rest.at_hash !== undefined && rest.at_hash !== halfHash(accessToken))
    throw new SignInError('untrusted', 'access_token_differs');
  // Slack sends the user's id twice: as `https://slack.com/user_id` and as `sub`. If they differ, it is unclear who
  // signed in.
  if (rest.sub !== userId) throw new SignInError('untrusted', 'subject_differs');
  return {
    userId,
    teamId,
    teamName: visibleText(claims['https://slack.com/team_name']),
    enterpriseId: rest['https://slack.com/enterprise_id'] ?? null,
    name: visibleText(claims.name),
    email: rest.email_verified === true ? visibleValue(claims.email) : null,
    avatarUrl: visibleValue(claims.picture),
    locale: visibleValue(claims.locale),
    issuedAt: rest.iat * 1000,
  };
}

function halfHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}

/** Slack's errors that a new sign-in fixes, and those that only the app's owner can fix. */
const spent = new Set(['invalid_code', 'code_already_used', 'code_expired', 'invalid_grant']);
const misconfigured = /^(?:bad_|invalid_client|invalid_grant_type|oauth_authorization_url_mismatch)/;

/**
 * Awaits a call of the library, and translates its error, because the library's own errors contain codes and tokens.
 */
async function reached<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw signInError(error);
  }
}

function signInError(error: unknown): SignInError {
  const causes = causesOf(error);
  const own = causes.find((cause) => cause instanceof SignInError);
  if (own) return own;
  if (error instanceof AuthorizationResponseError)
    return new SignInError('code_invalid', nameOf(error.error));
  if (error instanceof ResponseBodyError) {
    const reason = nameOf(error.error);
    if (spent.has(reason)) return new SignInError('code_invalid', reason);
    if (misconfigured.test(reason)) return new SignInError('misconfigured', reason);
    return new SignInError('unreachable', reason);
  }
  const code = causes.map(codeOf).find((found) => found !== undefined);
  // An `OAUTH_` code means that the answer failed one of the library's checks. The exceptions in this pattern mean that
  // no OpenID answer came.
  const isCheck = code !== undefined && /^OAUTH_(?!RESPONSE_IS_NOT|PARSE_ERROR|TIMEOUT|ABORT)/.test(code);
  return new SignInError(isCheck ? 'untrusted' : 'unreachable', code?.toLowerCase() ?? 'connection_failed');
}

function nameOf(given: string): string {
  return /^[a-z0-9_]{1,60}$/.test(given) ? given : 'unknown_error';
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = error; at instanceof Error && causes.length < 5; at = at.cause) causes.push(at);
  return causes;
}

function codeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : undefined;
}
