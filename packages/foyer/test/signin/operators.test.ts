import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { defineFoyer } from '../../src/define-foyer.ts';
import { startFoyer } from '../../src/serve.ts';
import { startTestFoyer } from '../../src/testing/start-test-foyer.ts';
import { createVisitor, eventually, type Visitor } from '../../src/testing/visitor.ts';
import { fetchAs } from '../support/fetch-as.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { recordingLogger } from '../support/start-foyer.ts';
import { cookieHeader, type SignInStage, setSignInStage } from './sign-in-stage.ts';

const acme = 'T07ACME4QX1';
const [grace, mateo, priya] = ['U07GRACEH01', 'U07MATEOV02', 'U07PRIYAN03'];
const password = 'open sesame, please';

interface Row {
  [column: string]: string | null;
}

const fieldOf = (page: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';

describe('operators who sign in with Slack', () => {
  let stage: SignInStage;
  let now = Date.now();
  let path: string;
  before(async () => {
    stage = await setSignInStage({
      now: () => now,
      sandbox: { readNow: () => now },
      environment: { OPERATOR_SLACK_USERS: `${acme}/${mateo}, ${acme}/${grace}` },
    });
    await stage.installIn('Acme');
    // "Send the welcome again" is refused while the run is in progress.
    await eventually(async () => (await stage.foyer().find({ teamId: acme }))?.run?.status === 'succeeded');
    const [row] = await stage.database.rows<Row>('select id from installations');
    path = `/operator/installations/${row?.id}`;
  });
  after(() => stage.close());

  async function operator(userId = mateo, returnTo = '/operator'): Promise<Visitor> {
    const visitor = createVisitor();
    const answer = await stage.signIn(visitor, { userId, returnTo });
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, stage.url + returnTo]);
    return visitor;
  }
  const page = async (visitor: Visitor, at: string): Promise<string> =>
    (await visitor.get(stage.url + at)).text();

  it('the operators’ login offers only Sign in with Slack if no password is set', async () => {
    const visitor = createVisitor();
    const login = await visitor.get(`${stage.url}${path}`);
    assert.equal(login.status, 303);
    const offer = await page(visitor, login.headers.get('location') ?? '');
    assert.ok(!offer.includes('type="password"'));
    const link = /href="(\/slack\/signin\?[^"]+)"/.exec(offer)?.[1]?.replaceAll('&amp;', '&') ?? '';
    assert.equal(new URLSearchParams(link.split('?')[1]).get('return_to'), path);
    const posted = await visitor.post(`${stage.url}/operator/login`, { password: '' });
    assert.equal(posted.status, 303, 'there is no password to try');
    assert.equal((await visitor.get(`${stage.url}/operator`)).status, 303);
  });

  it('the history and the log name the operator who pressed a button', async () => {
    const visitor = await operator();
    const shown = await page(visitor, path);
    const csrf = fieldOf(shown, 'csrf');
    const answer = await visitor.post(`${stage.url}${path}/welcome`, { csrf });
    assert.equal(answer.status, 303);
    const [line] = await stage.database.rows<Row>(
      "select user_id, detail from history where kind = 'operator_action'",
    );
    assert.deepEqual(line, { user_id: mateo, detail: `send the welcome again (by ${acme}/${mateo})` });
    const [, history = ''] = (await page(visitor, path)).split('aria-label="History"');
    const row = history.split('<tr').find((each) => each.includes('operator action')) ?? '';
    assert.equal(row.split(mateo).length, 2, 'the history names the operator once');
    const logged = stage.logged().find((each) => each.includes('an operator pressed a button')) ?? '{}';
    assert.equal(JSON.parse(logged).by, `${acme}/${mateo}`);
  });

  it('an operator can purge only within five minutes after a sign-in', async () => {
    const visitor = await operator();
    now += 5 * 60_000;
    const question = await page(visitor, `${path}/purge`);
    assert.match(question, /Sign in with Slack again first/);
    assert.ok(!question.includes('type="password"'));
    const stale = { csrf: fieldOf(question, 'csrf'), installed: 'x' };
    const refused = await visitor.post(`${stage.url}${path}/purge`, stale);
    assert.equal(refused.headers.get('location'), `${path}?done=sign_in_again`);
    const link = /href="(\/slack\/signin\?[^"]+)"/.exec(question)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const returnTo = new URLSearchParams(link.split('?')[1]).get('return_to') ?? '';
    assert.equal(returnTo, `${path}/purge`);
    await stage.signIn(visitor, { userId: mateo, returnTo });
    const fresh = await page(visitor, `${path}/purge`);
    assert.match(fresh, />Purge it</);
    const wrong = await visitor.post(`${stage.url}${path}/purge`, { csrf: 'another', installed: '1' });
    assert.equal(wrong.status, 403);
    // The form contains the time of another install, as if the app had been reinstalled since the page was shown.
    const changed = { csrf: fieldOf(fresh, 'csrf'), installed: '1' };
    const answer = await visitor.post(`${stage.url}${path}/purge`, changed);
    assert.equal(answer.headers.get('location'), `${path}?done=changed_meanwhile`);
  });

  it('an operator sees who is logged in, and can end another operator’s session', async () => {
    const [mine, theirs] = [await operator(), await operator(grace)];
    const list = await page(mine, '/operator/sessions');
    assert.match(list, new RegExp(`${acme}/${grace}`));
    assert.match(list, /this session/);
    const ids = [...list.matchAll(/name="session" value="([^"]+)"/g)].map(([, id = '']) => id);
    const [row] = await stage.database.rows<Row>(
      `select id from sessions where user_id = '${grace}' and kind = 'operator' order by began_at desc limit 1`,
    );
    assert.ok(row?.id && ids.includes(row.id));
    const csrf = fieldOf(list, 'csrf');
    const end = { csrf, session: row.id };
    const foreign = await mine.post(`${stage.url}/operator/sessions/end`, { ...end, csrf: 'another' });
    assert.equal(foreign.status, 403);
    assert.equal((await theirs.get(`${stage.url}/operator`)).status, 200);
    const ended = await mine.post(`${stage.url}/operator/sessions/end`, end);
    assert.equal(ended.headers.get('location'), '/operator/sessions?done=session_ended_now');
    assert.equal((await theirs.get(`${stage.url}/operator`)).status, 303);
    assert.equal((await mine.get(`${stage.url}/operator`)).status, 200);
    const again = await mine.post(`${stage.url}/operator/sessions/end`, end);
    assert.equal(again.headers.get('location'), '/operator/sessions?done=session_gone');
  });

  it('an operator can neither see nor end a member’s session', async () => {
    const member = createVisitor();
    await stage.signIn(member, { userId: priya });
    const [row] = await stage.database.rows<Row>(`select id from sessions where user_id = '${priya}'`);
    const mine = await operator();
    const list = await page(mine, '/operator/sessions');
    assert.ok(!list.includes(priya));
    const form = { csrf: fieldOf(list, 'csrf'), session: row?.id ?? '' };
    await mine.post(`${stage.url}/operator/sessions/end`, form);
    assert.ok(await stage.memberOf(member));
  });

  it('an operator is logged out once their Slack account is deactivated or OPERATOR_SLACK_USERS no longer contains them', async (t) => {
    const [one, other] = [await operator(grace), await operator()];
    const { log } = recordingLogger(stage.config);
    const http = { ...stage.config.http, port: 0 };
    const operatorSlackUsers = [`${acme}/${grace}`];
    const without = await startFoyer({ ...stage.config, http, operatorSlackUsers }, log, { now: () => now });
    t.after(() => without.stop());
    const at = `http://127.0.0.1:${without.address.port}/operator`;
    const statusThere = async (visitor: Visitor): Promise<number> =>
      (await fetchAs(new URL(stage.url).host, at, { headers: { cookie: cookieHeader(visitor) } })).status;
    assert.deepEqual([await statusThere(one), await statusThere(other)], [200, 303]);
    await stage.sandbox.sendEvent({
      teamId: acme,
      event: { type: 'user_change', user: { id: grace, team_id: acme, deleted: true } },
      eventTimeSeconds: Math.floor(now / 1000),
      timestampSeconds: Math.floor(now / 1000),
    });
    assert.equal((await one.get(`${stage.url}/operator`)).status, 303);
    assert.equal((await other.get(`${stage.url}/operator`)).status, 200);
  });
});

describe('Sign in with Slack below a base path', () => {
  it('with a base path, a member and an operator can sign in and return to addresses below that path', async (t) => {
    const basePath = '/integrations/slack';
    const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), basePath });
    const environment = { SIGN_IN: 'on', OPERATOR_SLACK_USERS: `${acme}/${mateo}` };
    const app = await startTestFoyer(definition, { environment });
    t.after(() => app.close());
    await app.install();
    const signIn = async (visitor: Visitor, query: string): Promise<string> => {
      const start = await visitor.get(`${app.url}/slack/signin${query}`);
      const authorizeUrl = start.headers.get('location') ?? '';
      const answer = await visitor.get(await app.sandbox.signIn({ authorizeUrl, userId: mateo }));
      return answer.headers.get('location') ?? '';
    };
    const member = createVisitor();
    assert.equal(await signIn(member, ''), `${app.url}/`);
    const cookie = [...member.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const found = await app.foyer.member(new Request(app.url, { headers: { cookie } }));
    assert.equal(found?.userId, mateo);
    const operator = createVisitor();
    const login = await (await operator.get(`${app.url}/operator/login`)).text();
    const link = /href="(\/integrations\/slack\/slack\/signin\?[^"]+)"/.exec(login)?.[1] ?? '';
    const query = link.slice(link.indexOf('?'));
    assert.equal(await signIn(operator, query), `${app.url}/operator`);
    assert.equal((await operator.get(`${app.url}/operator`)).status, 200);
    assert.equal((await member.post(`${app.url}/slack/signout`)).status, 200);
    assert.equal(await app.foyer.member(new Request(app.url, { headers: { cookie } })), undefined);
  });
});

describe('operators who can log in with a password or with Slack', () => {
  it('the operators’ login offers a password and Slack, and the session list shows that a session began with the password', async (t) => {
    const stage = await setSignInStage({
      environment: { OPERATOR_SLACK_USERS: `${acme}/${mateo}`, OPERATOR_PASSWORD: password },
    });
    t.after(() => stage.close());
    const visitor = createVisitor();
    const login = await (await visitor.get(`${stage.url}/operator/login`)).text();
    assert.match(login, /type="password"/);
    assert.match(login, /Sign in with Slack/);
    const answer = await visitor.post(`${stage.url}/operator/login`, { password });
    assert.equal(answer.status, 303);
    const list = await (await visitor.get(`${stage.url}/operator/sessions`)).text();
    assert.match(list, /Password <span[^>]*>this session/);
    const out = await visitor.post(`${stage.url}/operator/logout`, { csrf: fieldOf(list, 'csrf') });
    assert.equal(out.headers.get('location'), '/operator/login?done=logged_out');
  });
});
