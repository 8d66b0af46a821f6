import { createHash } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { secretHex } from '../ids.ts';
import type { Platform } from '../platform.ts';
import type { Person, SignInCode, Workspace } from '../world/records.ts';

/** How long an ID token is valid. Source: the example of docs.slack.dev/reference/methods/openid.connect.token */
const lifetimeSeconds = 300;

/** Flaws that a test can plan for an ID token, to see whether the app refuses it. */
export const idTokenFlaws = [
  'wrong-key',
  'unknown-key-id',
  'no-signature',
  'client-secret-signature',
  'wrong-issuer',
  'wrong-audience',
  'wrong-nonce',
  'no-nonce',
  'expired',
  'from-the-future',
  'wrong-access-token-hash',
  'no-team',
  'missing',
] as const;

export type IdTokenFlaw = (typeof idTokenFlaws)[number];

type SigningKey = { keyId: string; privateKey: CryptoKey; publicJwk: JWK };

/**
 * Issues ID tokens. Creates the key only when it is first needed: creating an RSA key is slow, and few tests sign in.
 */
export function createIdTokens(platform: Platform) {
  const { app, clock } = platform;
  let listed: Promise<SigningKey> | undefined;

  function currentKey(): Promise<SigningKey> {
    listed ??= createKey();
    return listed;
  }

  async function signWith(claims: Record<string, unknown>, flaw: IdTokenFlaw | undefined): Promise<string> {
    if (flaw === 'no-signature') return new UnsecuredJWT(claims).encode();
    const jwt = new SignJWT(claims);
    if (flaw === 'client-secret-signature') {
      return jwt
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .sign(new TextEncoder().encode(app.clientSecret));
    }
    const known = await currentKey();
    const { privateKey } = flaw === 'wrong-key' || flaw === 'unknown-key-id' ? await createKey() : known;
    const kid = flaw === 'unknown-key-id' ? secretHex(8) : known.keyId;
    return jwt.setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid }).sign(privateKey);
  }

  return {
    /** The public keys, as `/openid/connect/keys` lists them. */
    keys: async (): Promise<JWK[]> => [(await currentKey()).publicJwk],
    /** Signs later ID tokens with a new key, and stops listing the old one. */
    rotateKey(): void {
      listed = undefined;
    },
    /** Signs an ID token for a redeemed code. Returns undefined if the flaw is `missing`. */
    async sign(code: SignInCode, accessToken: string, flaw?: IdTokenFlaw): Promise<string | undefined> {
      if (flaw === 'missing') return undefined;
      const now = Math.floor(clock.now() / 1000) + shiftSeconds(flaw);
      const claims = {
        iss: platform.url(),
        aud: app.clientId,
        exp: now + lifetimeSeconds,
        iat: now,
        auth_time: now,
        ...(code.nonce === null ? {} : { nonce: code.nonce }),
        at_hash: halfHash(accessToken),
        ...personClaims(platform, code),
      };
      return signWith(spoil(claims, flaw), flaw);
    },
  };
}

export type IdTokens = ReturnType<typeof createIdTokens>;

async function createKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const keyId = secretHex(16);
  return {
    keyId,
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid: keyId, alg: 'RS256', use: 'sig' },
  };
}

function shiftSeconds(flaw: IdTokenFlaw | undefined): number {
  if (flaw === 'expired') return -3600;
  return flaw === 'from-the-future' ? 3600 : 0;
}

/** The first half of the SHA-256 of an access token. Source: OpenID Connect Core 1.0, section 3.1.3.6 */
function halfHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}

function spoil(claims: Record<string, unknown>, flaw: IdTokenFlaw | undefined): Record<string, unknown> {
  const { nonce: _nonce, 'https://slack.com/team_id': _team, ...rest } = claims;
  switch (flaw) {
    case 'wrong-issuer':
      return { ...claims, iss: 'https://issuer.example' };
    case 'wrong-audience':
      return { ...claims, aud: '1.2' };
    case 'wrong-nonce':
      return { ...claims, nonce: secretHex(16) };
    case 'no-nonce':
      return { ...rest, 'https://slack.com/team_id': _team };
    case 'wrong-access-token-hash':
      return { ...claims, at_hash: halfHash('another token') };
    case 'no-team':
      return { ...rest, nonce: _nonce };
    default:
      return claims;
  }
}

const userImageSizes = [24, 32, 48, 72, 192, 512];
const teamImageSizes = [34, 44, 68, 88, 102, 132, 230];

/**
 * The claims about a person that the granted scopes allow, for ID tokens and for `openid.connect.userInfo`.
 * Source: docs.slack.dev/reference/methods/openid.connect.userInfo
 */
export function personClaims(
  platform: Platform,
  { userId, teamId, scopes }: Pick<SignInCode, 'userId' | 'teamId' | 'scopes'>,
): Record<string, unknown> {
  const { world } = platform;
  const person = world.people.get(userId);
  const workspace = world.workspaces.get(teamId);
  if (!person || !workspace) throw new Error(`There is no person ${userId} or no workspace ${teamId}.`);
  return {
    sub: person.id,
    'https://slack.com/user_id': person.id,
    'https://slack.com/team_id': workspace.id,
    ...enterpriseClaims(platform, workspace),
    ...(scopes.includes('email')
      ? { email: person.email, email_verified: true, date_email_verified: 1_704_700_000 }
      : {}),
    ...(scopes.includes('profile') ? profileClaims(platform, person, workspace) : {}),
  };
}

function enterpriseClaims({ world }: Platform, workspace: Workspace): Record<string, unknown> {
  const enterprise = world.enterprises.get(workspace.enterpriseId ?? '');
  if (!enterprise) return {};
  return {
    'https://slack.com/enterprise_id': enterprise.id,
    'https://slack.com/enterprise_name': enterprise.name,
    'https://slack.com/enterprise_domain': enterprise.domain,
  };
}

function profileClaims(platform: Platform, person: Person, workspace: Workspace): Record<string, unknown> {
  const [givenName = '', ...rest] = person.realName.split(' ');
  const image = (id: string) => `${platform.url()}/avatars/${id}.svg`;
  const sized = (kind: 'user' | 'team', id: string, sizes: readonly number[]) =>
    Object.fromEntries(sizes.map((size) => [`https://slack.com/${kind}_image_${size}`, image(id)]));
  return {
    name: person.realName,
    picture: image(person.id),
    given_name: givenName,
    family_name: rest.join(' '),
    locale: person.locale,
    'https://slack.com/team_name': workspace.name,
    'https://slack.com/team_domain': workspace.domain,
    ...sized('user', person.id, userImageSizes),
    ...sized('team', workspace.id, teamImageSizes),
    'https://slack.com/team_image_default': false,
  };
}
