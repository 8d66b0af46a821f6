import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { idTokenFlaws } from 'slack-sandbox';
import { startFoyer } from '../../src/serve.ts';
import { createVisitor, type Visitor } from '../../src/testing/visitor.ts';
import { fetchAs } from '../support/fetch-as.ts';
import { recordingLogger } from '../support/start-foyer.ts';
import { cookieHeader, type SignInStage, setSignInStage } from './sign-in-stage.ts';

const acme = 'T07ACME4QX1';
const globex = 'T07GLOBEX82';
const priya = 'U07PRIYAN03';
const mateo = 'U07MATEOV02';
const lena = 'U07LENAFI13';

const hasSession = (visitor: Visitor): boolean => visitor.cookies.has('foyer-member');

/** Asserts a refusal: a page with an id that is also in the log, and no session. */
async function assertRefused(stage: SignInStage, visitor: Visitor, answer: Response, status: number) {
  assert.equal(answer.status, status);
  assert.equal(answer.headers.get('location'), null);
  const page = await answer.text();
  const id = /<code[^>]*>([\w-]{22})<\/code>/.exec(page)?.[1];
  assert.ok(id && stage.logged().some((line) => line.includes(id)), 'an id that the log knows');
  assert.ok(!hasSession(visitor));
  assert.equal(await stage.memberOf(visitor), undefined);
}

describe('Sign in with Slack under attack', () => {
  let stage: SignInStage;
  before(async () => {
    stage = await setSignInStage({
      environment: {
        CONNECT_RETURN_ORIGINS: 'https://app.example.com',
        OPERATOR_SLACK_USERS: `${acme}/${mateo}`,
      },
    });
    await stage.installIn('Acme');
    await stage.installIn('Globex');
  });
  after(() => stage.close());

  for (const flaw of idTokenFlaws) {
    it(`Foyer refuses an ID token with the flaw ${flaw}`, async () => {
      const visitor = createVisitor();
      const callback = await stage.pressSignIn(visitor, { userId: lena });
      stage.sandbox.faults.add({ method: 'openid.connect.token', failure: { type: 'id-token', flaw } });
      await assertRefused(stage, visitor, await visitor.get(callback), 502);
      const rows = await stage.database.rows(`select user_id from users where user_id = '${lena}'`);
      assert.deepEqual(rows, [], 'no one is registered');
    });
  }

  it('Foyer refuses a callback in a browser that did not start the sign-in (login CSRF)', async () => {
    const [attacker, victim] = [createVisitor(), createVisitor()];
    const callback = await stage.pressSignIn(attacker, { userId: mateo });
    assert.equal((await victim.get(callback)).status, 400);
    assert.ok(!hasSession(victim));
    await stage.pressSignIn(victim, { userId: priya });
    assert.equal((await victim.get(callback)).status, 400, 'nor with a sign-in of its own under way');
    assert.ok(!hasSession(victim));
    assert.equal((await attacker.get(callback)).status, 303, 'and the attempts used nothing up');
  });

  it('Foyer refuses a callback that combines the code of one sign-in with the state of another', async () => {
    const [attacker, victim] = [createVisitor(), createVisitor()];
    const stolen = new URL(await stage.pressSignIn(attacker, { userId: mateo }));
    const own = new URL(await stage.pressSignIn(victim, { userId: priya }));
    const code = own.searchParams.get('code') ?? '';
    own.searchParams.set('code', stolen.searchParams.get('code') ?? '');
    await assertRefused(stage, victim, await victim.get(own.href), 502);
    stolen.searchParams.set('code', code);
    await assertRefused(stage, attacker, await attacker.get(stolen.href), 502);
  });

  it('Foyer refuses a callback with two codes or two states', async () => {
    const visitor = createVisitor();
    const callback = await stage.pressSignIn(visitor, { userId: priya });
    await assertRefused(stage, visitor, await visitor.get(`${callback}&code=another`), 400);
    await assertRefused(stage, visitor, await visitor.get(`${callback}&state=another`), 400);
    assert.equal((await visitor.get(callback)).status, 303, 'and neither used the state up');
  });

  it('Foyer refuses a sign-in callback with the state of an install, and an install callback with the state of a sign-in', async () => {
    const visitor = createVisitor();
    const start = await visitor.get(`${stage.url}/slack/install`);
    const ofInstall = new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const callback = new URL(await stage.pressSignIn(visitor, { userId: priya }));
    const ofSignIn = callback.searchParams.get('state') ?? '';
    callback.searchParams.set('state', ofInstall);
    assert.equal((await visitor.get(callback.href)).status, 400);
    const install = `${stage.url}/slack/oauth_redirect?${new URLSearchParams({ code: '1', state: ofSignIn })}`;
    assert.equal((await visitor.get(install)).status, 400);
    assert.ok(!hasSession(visitor));
  });

  it('Foyer refuses a repeated sign-in callback, whether it comes right away or after a sign-out', async () => {
    const visitor = createVisitor();
    const callback = await stage.pressSignIn(visitor, { userId: priya });
    const before = stage.sandbox.calls('openid.connect.token').length;
    assert.equal((await visitor.get(callback)).status, 303);
    const again = createVisitor();
    for (const [name, value] of visitor.cookies) if (name.includes('signin')) again.cookies.set(name, value);
    await assertRefused(stage, again, await again.get(callback), 400);
    await visitor.post(`${stage.url}/slack/signout`);
    await assertRefused(stage, visitor, await visitor.get(callback), 400);
    assert.equal(stage.sandbox.calls('openid.connect.token').length, before + 1, 'Slack is asked once');
  });

  it('Foyer accepts only one of ten identical callbacks that come at the same time', async () => {
    const visitor = createVisitor();
    const callback = await stage.pressSignIn(visitor, { userId: priya });
    const headers = { cookie: cookieHeader(visitor), connection: 'close' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => fetch(callback, { headers, redirect: 'manual' })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [303, ...Array(9).fill(400)].sort());
  });

  it('each sign-in starts a new session and ends the session of the cookie that the browser sent (session fixation)', async () => {
    const [attacker, victim] = [createVisitor(), createVisitor()];
    await stage.signIn(attacker, { userId: mateo });
    const planted = attacker.cookies.get('foyer-member') ?? '';
    victim.cookies.set('foyer-member', planted);
    await stage.signIn(victim, { userId: priya });
    assert.notEqual(victim.cookies.get('foyer-member'), planted);
    assert.equal((await stage.memberOf(victim))?.userId, priya);
    assert.equal(await stage.memberOf(attacker), undefined, 'the planted session ended');
  });

  const elsewhere = [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '\t//evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https:app.example.com/',
    'https:/app.example.com/',
    'https://evil.example/',
    'https:\\\\evil.example',
    'https://app.example.com@evil.example/',
    'https://app.example.com:444/',
    'http://app.example.com/',
    'https://app.example.com.evil.example/',
    'https://user@app.example.com/',
    'https://app.example.com\\@evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.example',
    '',
    ' /reports',
    'ftp://app.example.com/',
    `/${'x'.repeat(2000)}`,
  ];
  for (const address of elsewhere) {
    it(`a sign-in or sign-out does not redirect to the return_to address ${JSON.stringify(address).slice(0, 60)}`, async () => {
      const visitor = createVisitor();
      const query = new URLSearchParams({ return_to: address });
      const answer = await visitor.get(`${stage.url}/slack/signin?${query}`);
      assert.deepEqual([answer.status, answer.headers.get('location')], [400, null]);
      const out = await visitor.post(`${stage.url}/slack/signout?${query}`);
      assert.deepEqual([out.status, out.headers.get('location')], [200, null]);
    });
  }

  it('a sign-in can return to an origin in CONNECT_RETURN_ORIGINS, but not to another name of Foyer’s own host', async () => {
    const listed = 'https://app.example.com/after?x=1';
    const answer = await stage.signIn(createVisitor(), { userId: priya, returnTo: listed });
    assert.equal(answer.headers.get('location'), listed);
    const other = stage.url.replace('127.0.0.1', 'localhost');
    const query = new URLSearchParams({ return_to: other });
    assert.equal((await createVisitor().get(`${stage.url}/slack/signin?${query}`)).status, 400);
  });

  it('Foyer answers a sign-in only under the host name of PUBLIC_URL', async () => {
    for (const path of ['/slack/signin', '/slack/signin/callback?code=1&state=2']) {
      assert.equal((await fetchAs('evil.example', stage.url + path)).status, 421, path);
    }
  });

  it('Foyer does not let another site sign a member out', async () => {
    const visitor = createVisitor();
    await stage.signIn(visitor, { userId: priya });
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
    ];
    for (const headers of foreign) {
      const sent = { ...headers, cookie: cookieHeader(visitor), connection: 'close' };
      const answer = await fetch(`${stage.url}/slack/signout`, { method: 'POST', headers: sent });
      assert.equal(answer.status, 403);
    }
    assert.equal((await visitor.get(`${stage.url}/slack/signout`)).status, 405);
    assert.ok(await stage.memberOf(visitor));
  });

  it('Foyer refuses a session cookie that was altered, belongs to another kind of session, or is from another app', async () => {
    const visitor = createVisitor();
    await stage.signIn(visitor, { userId: priya });
    const value = visitor.cookies.get('foyer-member') ?? '';
    const operator = createVisitor();
    await stage.signIn(operator, { userId: mateo, returnTo: '/operator' });
    const ofOperator = operator.cookies.get('foyer-operator') ?? '';
    assert.ok(ofOperator);
    assert.equal(await stage.memberOf(operator), undefined, 'an operator’s session is not a member’s');
    const forged = [`${value.slice(0, -2)}AA`, ofOperator, 'v1.main.x', '', 'x'.repeat(5000)];
    for (const cookie of forged) {
      const req = { headers: { cookie: `foyer-member=${cookie}` } };
      assert.equal(await stage.foyer().member(req), undefined, cookie.slice(0, 20));
    }
    const asOperator = createVisitor();
    asOperator.cookies.set('foyer-operator', value);
    assert.equal((await asOperator.get(`${stage.url}/operator`)).status, 303, 'nor the other way round');
    await stage.database.change(`update sessions set client_id = '9.9' where user_id = '${priya}'`);
    assert.equal(await stage.memberOf(visitor), undefined, 'another app on the same database');
  });

  it('a sign-in gives a member no session in another workspace, even if return_to names that workspace', async () => {
    const visitor = createVisitor();
    await stage.signIn(visitor, { userId: priya, returnTo: `/reports?team=${globex}` });
    const member = await stage.memberOf(visitor);
    assert.equal(member?.teamId, acme);
    assert.equal((await stage.foyer().find({ installationId: member?.installationId ?? '' }))?.teamId, acme);
    const rows = await stage.database.rows(
      `select user_id from users where user_id = '${priya}' and team_id <> '${acme}'`,
    );
    assert.deepEqual(rows, []);
  });

  it('the sign-in error page escapes the error in its URL, and does not show the return address of another browser’s sign-in', async () => {
    const [visitor, stranger] = [createVisitor(), createVisitor()];
    const callback = await stage.pressSignIn(visitor, { userId: priya, returnTo: '/secret-reports' });
    const page = await (await stranger.get(callback)).text();
    assert.ok(!page.includes('secret-reports'));
    const shown = await stranger.get(`${stage.url}/slack/signin/callback?error=%3Cscript%3E`);
    assert.equal(shown.status, 400);
    assert.ok(!(await shown.text()).includes('<script>'));
  });
});

describe('many sign-ins', () => {
  it('Foyer limits failed sign-ins per IP address, separately from installs, and says when to try again', async (t) => {
    const stage = await setSignInStage({ foyer: { installLimits: { callbacksPerAddress: 3 } } });
    t.after(() => stage.close());
    await stage.installIn('Acme');
    const attempt = (): Promise<Response> =>
      createVisitor().get(`${stage.url}/slack/signin/callback?code=1&state=2`);
    for (let n = 0; n < 5; n += 1)
      assert.equal(
        (await stage.signIn(createVisitor(), { userId: priya })).status,
        303,
        'a success counts not',
      );
    for (let n = 0; n < 3; n += 1) assert.equal((await attempt()).status, 400);
    const refused = await attempt();
    assert.equal(refused.status, 429);
    assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
    assert.match(await refused.text(), /Too many sign-ins at once/);
    // Installs have a limit of their own, so this install succeeds. If Foyer refused it, `installIn` would throw.
    await stage.installIn('Globex');
  });
});

describe('a sign-in on two machines', () => {
  it('a session is valid on two machines until the sign-out, and its sign-in callback works on only one of them', async (t) => {
    const stage = await setSignInStage({ engine: 'Postgres' });
    t.after(() => stage.close());
    await stage.installIn('Acme');
    const { log } = recordingLogger(stage.config);
    const second = await startFoyer({ ...stage.config, http: { ...stage.config.http, port: 0 } }, log);
    t.after(() => second.stop());
    const visitor = createVisitor();
    const callback = await stage.pressSignIn(visitor, { userId: priya });
    const atSecond = callback.replace(stage.url, `http://127.0.0.1:${second.address.port}`);
    const { host } = new URL(stage.url);
    const answer = await fetchAs(host, atSecond, { headers: { cookie: cookieHeader(visitor) } });
    assert.equal(answer.status, 303);
    assert.equal((await visitor.get(callback)).status, 400, 'used on the other machine');
    const [name = '', value = ''] = (answer.headers.getSetCookie()[0] ?? '').split(/[=;]/);
    visitor.cookies.set(name, value);
    assert.equal((await stage.memberOf(visitor))?.userId, priya);
    const req = { headers: { cookie: cookieHeader(visitor) } };
    assert.equal((await second.member(req))?.userId, priya);
    await visitor.post(`${stage.url}/slack/signout`);
    assert.equal(await second.member(req), undefined);
  });
});
