import { createHmac, timingSafeEqual } from 'node:crypto';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { decodeJwt } from 'jose/jwt/decode';
import { SignJWT } from 'jose/jwt/sign';
import { z } from 'zod';
import { visibleText } from '../slack/slack-text.ts';
import { ConnectError } from './connect-error.ts';

/**
 * Links and results, which Foyer and the host product exchange. Both are JWTs, signed with HS256 and
 * CONNECT_SECRET, so that a backend in any language can make and read them.
 *
 * Why not jose's `jwtVerify`: it is asynchronous, and hosts call `readResult` synchronously. There is one algorithm and
 * one key, so the check is one HMAC; the token's header never chooses the algorithm.
 */

/** The longest validity of a link, counted from when it was issued. */
export const longestLinkMs = 7 * 24 * 3_600_000;

const resultLifetimeMs = 5 * 60_000;

/** The clock skew to allow: the host's clock may be this far ahead of Foyer's. */
const clockToleranceMs = 60_000;

const longestToken = 8000;
const mostDataBytes = 1000;

/** One line of text that every database accepts: no control character, no lone surrogate. */
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), {
      error: 'contains a control character or an incomplete character',
    });

/** A JSON value that takes at most `mostDataBytes` and contains only characters that both databases can store. */
const data = z.json().refine(
  (value) => {
    const text = JSON.stringify(value);
    return Buffer.byteLength(text) <= mostDataBytes && text.isWellFormed() && !/\\u0000/.test(text);
  },
  { error: `takes more than ${mostDataBytes} bytes, or contains what a database cannot store` },
);

const jti = line(128);

/** The host's own ids for the person (`sub`) and the account (`org`), and the account's name (`label`). */
const account = { sub: line(255).optional(), org: line(255), label: line(200).optional() };

/** The claims of a link besides its audience and times. */
export const linkClaims = z.strictObject({
  ...account,
  return_to: z.string().max(1000).optional(),
  team: z
    .string()
    .regex(/^[TE][A-Z0-9]{1,30}$/)
    .optional(),
  data: data.optional(),
  jti,
});

/** A link's claims: which of the host's accounts to connect the workspace to, and where the browser goes afterward. */
export type LinkClaims = z.output<typeof linkClaims>;

/** A verified link. Times are in milliseconds since 1970. */
export interface Link extends LinkClaims {
  expiresAt: number;
}

const resultClaims = z.object({
  jti,
  sub: line(255).optional(),
  org: line(255).optional(),
  outcome: z.enum(['installed', 'cancelled', 'failed', 'refused']),
  error: z.string().optional(),
  team_id: z.string().nullable(),
  team_name: z.string().nullable(),
  enterprise_id: z.string().nullable(),
  is_enterprise_install: z.boolean(),
  installation_id: z.string().nullable(),
  run_id: z.string().nullable(),
});

/** A result's claims: how an install ended. Without a link, `org` is absent, and `jti` is the install request's id. */
export type ResultClaims = z.output<typeof resultClaims>;

/** How an install ended, as `readResult` returns it. A value is null if it does not apply or Foyer does not know it. */
export interface ConnectResult {
  /**
   * The link's id, which the host compares with the id that it kept in the session when it created the link. Without a
   * link, the id of the install request.
   */
  jti: string;
  subject: string | null;
  org: string | null;
  outcome: ResultClaims['outcome'];
  /** Why the app was not installed, such as `access_denied` or `already_connected`. */
  error: string | null;
  teamId: string | null;
  teamName: string | null;
  enterpriseId: string | null;
  isEnterpriseInstall: boolean;
  installationId: string | null;
  runId: string | null;
}

const linkAudience = 'foyer:connect';
const resultAudience = 'foyer:result';

/**
 * Signs a link.
 * @throws ConnectError if a claim is invalid, such as a `return_to` whose origin is not in `returnOrigins`, or if the
 * link would not expire within the next seven days
 */
export async function createLink(
  options: LinkOptions,
  claims: LinkClaims,
  times: { now: number; expiresAt: number },
): Promise<string> {
  const checked = linkClaims.safeParse(claims);
  if (!checked.success) throw invalidLink(checked.error);
  assertListed(options, claims.return_to);
  if (times.expiresAt <= times.now || times.expiresAt - times.now > longestLinkMs)
    throw new ConnectError('link_invalid', 'A link must expire in the future, and within seven days.');
  return sign(options.secret, linkAudience, checked.data, times);
}

/** What Foyer checks links against: the secret, and the origins that `return_to` may name. */
interface LinkOptions {
  secret: string;
  returnOrigins: readonly string[];
}

/** Verifies a link. @throws ConnectError with `link_expired` if it is genuine but expired, else `link_invalid` */
export function readLink(options: LinkOptions, token: string, now: number): Link {
  const { issuedAt, expiresAt, claims } = open(options.secret, linkAudience, token, 'link_invalid');
  const parsed = linkClaims.safeParse(claims);
  if (!parsed.success) throw invalidLink(parsed.error);
  assertListed(options, parsed.data.return_to);
  if (expiresAt - issuedAt > longestLinkMs)
    throw new ConnectError('link_invalid', 'The link is valid for more than seven days.');
  if (issuedAt > now + clockToleranceMs)
    throw new ConnectError(
      'link_invalid',
      'The link’s issue time is in the future: check the clocks of Foyer and of your product.',
    );
  if (expiresAt <= now) throw new ConnectError('link_expired', 'The link has expired.');
  return { ...parsed.data, expiresAt };
}

/** Signs a result that is valid for five minutes. */
export function createResult(secret: string, claims: ResultClaims, now: number): Promise<string> {
  return sign(secret, resultAudience, claims, { now, expiresAt: now + resultLifetimeMs });
}

/**
 * Verifies the value of `foyer_result` in the host's return address. @throws ConnectError with `result_expired` or
 * `result_invalid`
 */
export function readResult(secret: string, token: string, now: number): ConnectResult {
  const { issuedAt, expiresAt, claims } = open(secret, resultAudience, token, 'result_invalid');
  const parsed = resultClaims.safeParse(claims);
  if (!parsed.success) throw new ConnectError('result_invalid', 'The result has a missing or invalid claim.');
  if (issuedAt > now + clockToleranceMs || expiresAt - issuedAt > resultLifetimeMs)
    throw new ConnectError(
      'result_invalid',
      'The result’s issue time is in the future, or the result is valid for more than five minutes: check the clocks.',
    );
  if (expiresAt <= now) throw new ConnectError('result_expired', 'The result has expired.');
  const result = parsed.data;
  return {
    jti: result.jti,
    subject: result.sub ?? null,
    org: result.org ?? null,
    outcome: result.outcome,
    error: result.error ?? null,
    teamId: result.team_id,
    teamName: result.team_name,
    enterpriseId: result.enterprise_id,
    isEnterpriseInstall: result.is_enterprise_install,
    installationId: result.installation_id,
    runId: result.run_id,
  };
}

/** Adds a result to an address of the host. Replaces any result that the address already contains. */
export function withResult(address: string, result: string): string {
  const url = new URL(address);
  url.searchParams.set('foyer_result', result);
  return url.href;
}

function sign(
  secret: string,
  audience: string,
  claims: object,
  times: { now: number; expiresAt: number },
): Promise<string> {
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setAudience(audience)
    .setIssuedAt(seconds(times.now))
    .setExpirationTime(seconds(times.expiresAt))
    .sign(Buffer.from(secret));
}

const headerSchema = z.strictObject({
  alg: z.literal('HS256'),
  typ: z.string().optional(),
  kid: z.string().optional(),
});

/** `aud` may be an array of one element: some libraries write it that way. */
const envelopeSchema = z.looseObject({
  aud: z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)]),
  iat: z.number().nonnegative(),
  exp: z.number().nonnegative(),
});

/** Verifies a token's format, signature and audience. Returns its times, in milliseconds, and its other claims. */
function open(
  secret: string,
  audience: string,
  token: string,
  code: 'link_invalid' | 'result_invalid',
): { issuedAt: number; expiresAt: number; claims: object } {
  if (typeof token !== 'string' || token.length > longestToken)
    throw new ConnectError(code, 'The token is not a string, or is too long.');
  const [, signed = '', signature = ''] = /^([\w-]+\.[\w-]+)\.([\w-]+)$/.exec(token) ?? [];
  const expected = createHmac('sha256', secret).update(signed).digest('base64url');
  if (!sameText(signature, expected)) throw new ConnectError(code, 'The token’s signature is wrong.');
  try {
    headerSchema.parse(decodeProtectedHeader(token));
    const { aud, iat, exp, ...claims } = envelopeSchema.parse(decodeJwt(token));
    if (aud !== audience) throw new Error(`the token’s audience is not ${audience}`);
    return { issuedAt: iat * 1000, expiresAt: exp * 1000, claims };
  } catch (cause) {
    throw new ConnectError(code, 'The token’s header, audience or times are not valid.', { cause });
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * Refuses a `return_to` whose origin is not in `returnOrigins`. Compares origins as browsers do: by scheme, host and
 * port, not as text.
 */
function assertListed({ returnOrigins }: LinkOptions, returnTo: string | undefined): void {
  if (returnTo === undefined) return;
  const url = URL.canParse(returnTo) ? new URL(returnTo) : undefined;
  const isListed = url !== undefined && /^https?:$/.test(url.protocol) && returnOrigins.includes(url.origin);
  if (!isListed || url.username !== '' || url.password !== '')
    throw new ConnectError(
      'link_invalid',
      'return_to is not a web address, has credentials, or leads to an origin that CONNECT_RETURN_ORIGINS does not list.',
    );
}

function invalidLink(error: z.ZodError): ConnectError {
  const named = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0] ?? issue.code)],
  );
  const names = visibleText([...new Set(named)].join(', ')) ?? '';
  return new ConnectError('link_invalid', `The link has a missing, unknown or invalid claim: ${names}.`);
}
