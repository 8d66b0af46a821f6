import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { UnsecuredJWT } from 'jose';
import { createVisitor, type Visitor } from '../../src/testing/visitor.ts';
import { type HostileIssuer, type Lies, startHostileIssuer } from './hostile-issuer.ts';
import { type SignInStage, setSignInStage } from './sign-in-stage.ts';

const acme = 'T07ACME4QX1';
const globex = 'T07GLOBEX82';
const [priya, mateo] = ['U07PRIYAN03', 'U07MATEOV02'];
const clientId = '1234.5678';
const discoveryPath = '/.well-known/openid-configuration';
const tokenPath = '/api/openid.connect.token';
const keysPath = '/openid/connect/keys';

describe('an OpenID issuer that lies', () => {
  let issuer: HostileIssuer;
  let stage: SignInStage;
  /** How far the clocks of Foyer and the issuer are ahead of the real time. */
  let aheadMs = 0;
  before(async () => {
    issuer = await startHostileIssuer({ clientId, now: () => Date.now() + aheadMs });
    stage = await setSignInStage({
      now: () => Date.now() + aheadMs,
      environment: { SLACK_OPENID_URL: issuer.url, OPERATOR_SLACK_USERS: `${acme}/${mateo}` },
      sandbox: { credentials: { clientId } },
    });
    await stage.installIn('Acme');
    await stage.installIn('Globex');
  });
  afterEach(() => {
    issuer.lies = {};
    issuer.person = { userId: priya, teamId: acme };
  });
  after(async () => {
    await stage.close();
    await issuer.close();
  });

  const start = (visitor: Visitor, returnTo = '/'): Promise<Response> =>
    visitor.get(`${stage.url}/slack/signin?${new URLSearchParams({ return_to: returnTo })}`);

  /** Signs in. The issuer begins to lie once it has issued the code. Returns Foyer's answer to the callback. */
  async function signIn(visitor: Visitor, lies: Lies = {}, returnTo = '/'): Promise<Response> {
    const location = (await start(visitor, returnTo)).headers.get('location') ?? '';
    const callback = issuer.authorize(location);
    issuer.lies = lies;
    return visitor.get(callback);
  }

  /**
   * Makes the issuer send true values again, and moves the clocks forward by two hours. Foyer then forgets what it has
   * cached: the discovery document (for an hour) and the keys (for five minutes).
   */
  function forget(): void {
    aheadMs += 2 * 3_600_000;
    issuer.lies = {};
  }

  /** Makes the next calls of users.info fail, so that only the ID token identifies the person. */
  function slackKnowsNobody(times: number): void {
    const failure = { type: 'status', status: 503 } as const;
    stage.sandbox.faults.add({ method: 'users.info', times, failure });
  }

  async function assertRefused(visitor: Visitor, answer: Response, status = 502): Promise<void> {
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get('location'), null);
    assert.equal(await stage.memberOf(visitor), undefined);
  }

  it('a sign-in succeeds if everything that the issuer sends is correct', async () => {
    const visitor = createVisitor();
    assert.equal((await signIn(visitor)).status, 303);
    assert.equal((await stage.memberOf(visitor))?.userId, priya);
  });

  it('Foyer requests the issuer’s discovery document and keys once for many sign-ins', async () => {
    await signIn(createVisitor());
    const before = [issuer.asked(discoveryPath), issuer.asked(keysPath)];
    for (let n = 0; n < 5; n += 1) assert.equal((await signIn(createVisitor())).status, 303);
    assert.deepEqual([issuer.asked(discoveryPath), issuer.asked(keysPath)], before);
  });

  const discoveries: Record<string, Record<string, unknown>> = {
    'another issuer': { issuer: 'https://slack.com' },
    'no issuer': { issuer: undefined },
    'a token endpoint that uses plain http': { token_endpoint: 'http://192.0.2.1/token' },
    'no token endpoint': { token_endpoint: undefined },
    'no URL for the keys': { jwks_uri: undefined },
    'an authorization endpoint that is a javascript: URL': { authorization_endpoint: 'javascript:alert(1)' },
    'an authorization endpoint that uses plain http': {
      authorization_endpoint: 'http://192.0.2.1/authorize',
    },
  };
  for (const [what, discovery] of Object.entries(discoveries)) {
    it(`Foyer answers a sign-in with status 502 and no redirect if the discovery document has ${what}`, async () => {
      forget();
      issuer.lies = { discovery };
      const visitor = createVisitor();
      const answer = await start(visitor);
      await assertRefused(visitor, answer);
      assert.match(await answer.text(), /<code[^>]*>signin_\w+<\/code>/);
      forget();
    });
  }

  it('Foyer refuses an unsigned ID token, even if the issuer offers the algorithm “none”', async () => {
    forget();
    const visitor = createVisitor();
    issuer.lies = { discovery: { id_token_signing_alg_values_supported: ['none', 'HS256'] } };
    const location = (await start(visitor)).headers.get('location') ?? '';
    const callback = issuer.authorize(location);
    const nonce = new URL(location).searchParams.get('nonce');
    const now = Math.floor((Date.now() + aheadMs) / 1000);
    const claims = { iss: issuer.url, aud: clientId, sub: priya, iat: now, exp: now + 300, nonce };
    const ofSlack = { 'https://slack.com/user_id': priya, 'https://slack.com/team_id': acme };
    const id_token = new UnsecuredJWT({ ...claims, ...ofSlack }).encode();
    const answer = { ok: true, access_token: 'x', token_type: 'Bearer', id_token };
    issuer.lies.answer = {
      [tokenPath]: (_req, res) =>
        void res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer)),
    };
    await assertRefused(visitor, await visitor.get(callback));
    forget();
  });

  const claims: Record<string, Record<string, unknown>> = {
    'another person as its subject': { sub: mateo },
    'a user id that is an array': { 'https://slack.com/user_id': ['U1'] },
    'a user id that is HTML': { 'https://slack.com/user_id': '<b>', sub: '<b>' },
    'an enterprise id as its team id': { 'https://slack.com/team_id': 'E07INITECHX' },
    'no user id': { 'https://slack.com/user_id': undefined },
    'two audiences and another app as its authorized party': { aud: [clientId, 'evil'], azp: 'evil' },
    'an audience that only begins with the client id': { aud: `${clientId}9` },
    'an issuer that is another URL with a slash at the end': { iss: 'http://127.0.0.1/' },
    'no expiry': { exp: undefined },
    'an issue time that is not a number': { iat: 'now' },
    'an unknown claim that is a megabyte long': { filler: 'x'.repeat(1_000_000) },
  };
  for (const [what, lie] of Object.entries(claims)) {
    it(`Foyer refuses an ID token with ${what}`, async () => {
      const visitor = createVisitor();
      await assertRefused(visitor, await signIn(visitor, { claims: lie }));
    });
  }

  const answers: Record<string, (req: IncomingMessage, res: ServerResponse) => void> = {
    'a redirect to another host': (_req, res) =>
      void res.writeHead(307, { Location: 'http://192.0.2.1/token' }).end(),
    'truncated JSON': (_req, res) =>
      void res.writeHead(200, { 'Content-Type': 'application/json' }).end('{"ok":tr'),
    'an HTML page': (_req, res) => void res.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Hello'),
    'no response': () => {},
    'a broken connection': (req) => void req.socket.destroy(),
  };
  for (const path of [discoveryPath, tokenPath, keysPath] as const) {
    for (const [what, answer] of Object.entries(answers)) {
      it(`Foyer shows a page with status 502 within six seconds if a request to ${path} gets ${what}`, async () => {
        forget();
        const visitor = createVisitor();
        const begunAt = performance.now();
        if (path === discoveryPath) issuer.lies = { answer: { [path]: answer } };
        const refused =
          path === discoveryPath
            ? await start(visitor)
            : await signIn(visitor, { answer: { [path]: answer } });
        await assertRefused(visitor, refused);
        assert.ok(performance.now() - begunAt < 6000);
      });
    }
  }

  it('if the discovery document cannot be read, Foyer waits two seconds before it asks the issuer again', async () => {
    forget();
    issuer.lies = { answer: { [discoveryPath]: (req) => void req.socket.destroy() } };
    const before = issuer.asked(discoveryPath);
    for (let n = 0; n < 5; n += 1) assert.equal((await start(createVisitor())).status, 502);
    assert.equal(issuer.asked(discoveryPath), before + 1);
    issuer.lies = {};
    aheadMs += 2000;
    assert.equal((await start(createVisitor())).status, 302);
  });

  it('Foyer sends a PKCE challenge and its verifier if the issuer offers S256, and no challenge otherwise', async () => {
    forget();
    const without = new URL((await start(createVisitor())).headers.get('location') ?? '').searchParams;
    assert.equal(without.get('code_challenge'), null);
    aheadMs += 2 * 3_600_000;
    issuer.lies = { discovery: { code_challenge_methods_supported: ['S256'] } };
    const visitor = createVisitor();
    const location = (await start(visitor)).headers.get('location') ?? '';
    const challenge = new URL(location).searchParams.get('code_challenge');
    assert.equal((await visitor.get(issuer.authorize(location))).status, 303);
    const verifier = issuer.exchanges.at(-1)?.get('code_verifier') ?? '';
    assert.equal(createHash('sha256').update(verifier).digest('base64url'), challenge);
    forget();
  });

  it('Foyer stores no email that the issuer has not verified', async () => {
    const visitor = createVisitor();
    slackKnowsNobody(3);
    issuer.person = { userId: 'U0NEWPERSON', teamId: acme };
    for (const email_verified of [false, 'true', 0]) {
      await signIn(visitor, { claims: { email_verified } });
      assert.equal((await stage.memberOf(visitor))?.email, null);
    }
  });

  it('people of two workspaces who have the same user id keep separate names, emails and sessions', async () => {
    const [here, there] = [createVisitor(), createVisitor()];
    slackKnowsNobody(2);
    issuer.person = { userId: 'U0SAMEIDENT', teamId: acme };
    await signIn(here, { claims: { name: 'Ada of Acme' } });
    issuer.person = { userId: 'U0SAMEIDENT', teamId: globex };
    await signIn(there, { claims: { name: 'Gus of Globex', email: 'gus@globex.example' } });
    const [ada, gus] = [await stage.memberOf(here), await stage.memberOf(there)];
    assert.deepEqual([ada?.teamId, ada?.name], [acme, 'Ada of Acme']);
    assert.deepEqual([gus?.teamId, gus?.name, gus?.email], [globex, 'Gus of Globex', 'gus@globex.example']);
    await stage.sandbox.sendEvent({
      teamId: globex,
      event: { type: 'user_change', user: { id: 'U0SAMEIDENT', team_id: globex, deleted: true } },
      eventTimeSeconds: Math.floor((Date.now() + aheadMs) / 1000),
      timestampSeconds: Math.floor((Date.now() + aheadMs) / 1000),
    });
    await stage.sandbox.settled();
    assert.equal(await stage.memberOf(there), undefined);
    assert.ok(await stage.memberOf(here));
  });

  it('only a person in OPERATOR_SLACK_USERS can sign in as an operator, not a person with the same user id in another workspace', async () => {
    for (const person of [
      { userId: mateo, teamId: globex },
      { userId: priya, teamId: acme },
    ]) {
      issuer.person = person;
      const visitor = createVisitor();
      assert.equal((await signIn(visitor, {}, '/operator')).status, 403);
      assert.equal((await visitor.get(`${stage.url}/operator`)).status, 303);
    }
    issuer.person = { userId: mateo, teamId: acme };
    const operator = createVisitor();
    assert.equal((await signIn(operator, {}, '/operator')).status, 303);
    assert.equal((await operator.get(`${stage.url}/operator`)).status, 200);
  });
});
