import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** The false values that the issuer sends. For a field that is absent here, it sends what Slack would send. */
export interface Lies {
  /** Fields of the discovery document. */
  discovery?: Record<string, unknown>;
  /** Claims of the ID token. If a claim's value is undefined, the token does not contain the claim. */
  claims?: Record<string, unknown>;
  /** Handlers, by path, that answer requests instead of the issuer. */
  answer?: Partial<Record<Path, (req: IncomingMessage, res: ServerResponse) => void>>;
}
type Path = '/.well-known/openid-configuration' | '/api/openid.connect.token' | '/openid/connect/keys';

/** An OpenID issuer that sends Slack's claims. It can lie in its discovery document, its ID tokens and its answers. */
export interface HostileIssuer {
  url: string;
  lies: Lies;
  /** The person whom the next ID token names. */
  person: { userId: string; teamId: string };
  /** The parsed bodies of the requests to the token endpoint. */
  exchanges: URLSearchParams[];
  /** How often a path was requested. */
  asked(path: Path): number;
  /** Consents, as a person would at the authorization endpoint. Returns the callback's address. */
  authorize(authorizeUrl: string): string;
  close(): Promise<void>;
}

/** Starts the issuer on loopback. */
export async function startHostileIssuer(options: {
  clientId: string;
  now: () => number;
}): Promise<HostileIssuer> {
  const { clientId } = options;
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  const nonces = new Map<string, string>();
  const counts = new Map<string, number>();

  async function token(form: URLSearchParams): Promise<unknown> {
    const nonce = nonces.get(form.get('code') ?? '');
    if (nonce === undefined) return { ok: false, error: 'invalid_code' };
    const accessToken = `xoxp-${randomBytes(8).toString('hex')}`;
    const now = Math.floor(options.now() / 1000);
    const claims = {
      iss: issuer.url,
      aud: clientId,
      sub: issuer.person.userId,
      iat: now,
      exp: now + 300,
      nonce,
      at_hash: createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url'),
      'https://slack.com/user_id': issuer.person.userId,
      'https://slack.com/team_id': issuer.person.teamId,
      email: 'mallory@example.com',
      email_verified: true,
      name: 'Mallory',
      ...issuer.lies.claims,
    };
    const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' });
    return {
      ok: true,
      access_token: accessToken,
      token_type: 'Bearer',
      id_token: await jwt.sign(privateKey),
    };
  }

  async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? '/').split('?')[0] as Path;
    counts.set(path, (counts.get(path) ?? 0) + 1);
    const own = issuer.lies.answer?.[path];
    if (own) return own(req, res);
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const json = (body: unknown): void => {
      res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    if (path === '/.well-known/openid-configuration') {
      return json({
        issuer: issuer.url,
        authorization_endpoint: `${issuer.url}/openid/connect/authorize`,
        token_endpoint: `${issuer.url}/api/openid.connect.token`,
        jwks_uri: `${issuer.url}/openid/connect/keys`,
        id_token_signing_alg_values_supported: ['RS256'],
        ...issuer.lies.discovery,
      });
    }
    if (path === '/openid/connect/keys') return json({ keys: [jwk] });
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    issuer.exchanges.push(form);
    json(await token(form));
  }

  const server = createServer((req, res) => void respond(req, res));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const issuer: HostileIssuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lies: {},
    person: { userId: 'U07PRIYAN03', teamId: 'T07ACME4QX1' },
    exchanges: [],
    asked: (path) => counts.get(path) ?? 0,
    authorize(authorizeUrl) {
      const query = new URL(authorizeUrl).searchParams;
      const code = randomBytes(12).toString('hex');
      nonces.set(code, query.get('nonce') ?? '');
      const callback = new URL(query.get('redirect_uri') ?? '');
      callback.searchParams.set('code', code);
      callback.searchParams.set('state', query.get('state') ?? '');
      return callback.href;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return issuer;
}
