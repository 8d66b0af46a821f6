import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseSetCookie } from 'cookie';
import { createVisitor, eventually } from '../../src/testing/visitor.ts';
import { parseExposition } from '../operator/metrics/parse-exposition.ts';
import { engines } from '../support/open-test-database.ts';
import type { EngineName } from '../support/stage-database.ts';
import { setStage } from '../support/start-foyer.ts';
import { cookieHeader, type SignInStage, setSignInStage } from './sign-in-stage.ts';

const acme = 'T07ACME4QX1';
const globex = 'T07GLOBEX82';
const priya = 'U07PRIYAN03';
const lena = 'U07LENAFI13';

describe('without SIGN_IN, Sign in with Slack is off', () => {
  it('without SIGN_IN, Foyer has no sign-in routes, and foyer.member() returns undefined', async (t) => {
    const stage = await setStage();
    t.after(() => stage.close());
    for (const path of ['/slack/signin', '/slack/signin/callback?code=1&state=2', '/slack/signin/'])
      assert.equal((await createVisitor().get(stage.url + path)).status, 404, path);
    assert.equal((await createVisitor().post(`${stage.url}/slack/signout`)).status, 404);
    assert.equal(await stage.foyer().member({ headers: {} }), undefined);
  });
});

for (const engine of Object.keys(engines) as EngineName[]) {
  describe(`Sign in with Slack (${engine})`, () => {
    let stage: SignInStage;
    let now = Date.now();
    before(async () => {
      stage = await setSignInStage({ engine, now: () => now, sandbox: { readNow: () => now } });
      await stage.installIn('Acme');
    });
    after(() => stage.close());

    it('a sign-in registers the person in their workspace, and foyer.member() then returns that person', async () => {
      const visitor = createVisitor();
      const answer = await stage.signIn(visitor, { userId: priya, returnTo: '/reports?page=2#top' });
      assert.equal(answer.status, 303);
      assert.equal(answer.headers.get('location'), `${stage.url}/reports?page=2#top`);
      const member = await stage.memberOf(visitor);
      assert.ok(member);
      const { installationId, signedInAt, avatarUrl, ...rest } = member;
      assert.deepEqual(rest, {
        userId: priya,
        teamId: acme,
        enterpriseId: null,
        name: 'Priya Nair',
        email: 'priya.nair@acme-robotics.example',
        timezone: 'Asia/Kolkata',
        locale: 'en-GB',
        role: 'member',
      });
      assert.match(avatarUrl ?? '', /^http/);
      assert.ok(Math.abs(signedInAt.getTime() - now) < 60_000);
      assert.equal((await stage.foyer().find({ installationId }))?.teamId, acme);
      const [row] = await stage.database.rows<Record<string, string>>(
        `select u.real_name from users u join memberships m on m.client_id = u.client_id
          and m.team_id = u.team_id and m.user_id = u.user_id where u.user_id = '${priya}'`,
      );
      assert.equal(row?.real_name, 'Priya Nair');
    });

    it('scripts cannot read the session cookie, and the cookie does not reveal the user id', async () => {
      const visitor = createVisitor();
      const answer = await stage.signIn(visitor, { userId: priya });
      const cookie = parseSetCookie(answer.headers.getSetCookie()[0] ?? '');
      assert.equal(cookie.name, 'foyer-member');
      assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'lax', '/']);
      assert.ok(!Buffer.from(cookie.value?.split('.')[2] ?? '', 'base64url').includes(priya));
    });

    it('a sign-out ends a session even for a copy of its cookie, and leaves the person’s other sessions alone', async () => {
      const [visitor, other, copy] = [createVisitor(), createVisitor(), createVisitor()];
      await stage.signIn(visitor, { userId: priya });
      await stage.signIn(other, { userId: priya });
      for (const [name, value] of visitor.cookies) copy.cookies.set(name, value);
      const out = await visitor.post(`${stage.url}/slack/signout`);
      assert.equal(out.status, 200);
      assert.match(await out.text(), /You are signed out/);
      assert.equal(visitor.cookies.has('foyer-member'), false);
      assert.equal(await stage.memberOf(copy), undefined);
      assert.ok(await stage.memberOf(other));
      const back = await other.post(`${stage.url}/slack/signout?return_to=/bye`);
      assert.deepEqual([back.status, back.headers.get('location')], [303, `${stage.url}/bye`]);
      const anyway = await createVisitor().post(`${stage.url}/slack/signout?return_to=//evil.example`);
      assert.equal(anyway.status, 200, 'without a session, and with a bad address');
    });

    it('Foyer answers a cancelled sign-in with status 200 and a page that offers to try again', async () => {
      const visitor = createVisitor();
      const choice = { userId: priya, returnTo: '/reports', decision: 'cancel' } as const;
      const answer = await stage.signIn(visitor, choice);
      assert.equal(answer.status, 200);
      const page = await answer.text();
      assert.match(page, /You canceled the sign-in/);
      assert.match(page, /signin\?return_to=[^"]*reports/, 'the link to try again keeps return_to');
      assert.equal(await stage.memberOf(visitor), undefined);
    });

    it('a sign-in that takes more than ten minutes fails, and the link to try again keeps the `return_to` address', async () => {
      const visitor = createVisitor();
      const callback = await stage.pressSignIn(visitor, { userId: priya, returnTo: '/reports' });
      now += 11 * 60_000;
      const answer = await visitor.get(callback);
      now -= 11 * 60_000;
      assert.equal(answer.status, 400);
      assert.match(await answer.text(), /signin\?return_to=[^"]*reports/);
    });

    it('a member of a workspace without the app gets a link to install the app, and no session', async () => {
      const visitor = createVisitor();
      const answer = await stage.signIn(visitor, { userId: lena });
      assert.equal(answer.status, 403);
      const page = await answer.text();
      assert.match(page, /You can sign in once/);
      assert.match(page, new RegExp(`href="/slack/install\\?team=${globex}"`));
      assert.equal(visitor.cookies.has('foyer-member'), false);
      const people = await stage.database.rows<Record<string, string>>(
        `select user_id from users where user_id = '${lena}'`,
      );
      assert.deepEqual(people, []);
    });

    it('when Slack reports that a person was deactivated, Foyer ends that person’s sessions, and no one else’s', async () => {
      const { id: userId } = stage.sandbox.addMember({ teamId: acme, realName: 'Dora Leaves' });
      const [visitor, other] = [createVisitor(), createVisitor()];
      await stage.signIn(visitor, { userId });
      await stage.signIn(other, { userId: priya });
      stage.sandbox.deactivate({ userId });
      await eventually(async () => (await stage.memberOf(visitor)) === undefined);
      assert.ok(await stage.memberOf(other));
      stage.sandbox.reactivate({ userId });
      await stage.sandbox.settled();
      assert.equal(await stage.memberOf(visitor), undefined, 'the old session stays ended');
      now += 2000;
      assert.equal((await stage.signIn(visitor, { userId })).status, 303);
      await stage.sandbox.sendEvent({
        teamId: acme,
        event: { type: 'user_change', user: { id: userId, team_id: acme, deleted: true } },
        eventTimeSeconds: Math.floor(now / 1000) - 60,
      });
      assert.ok(await stage.memberOf(visitor), 'an event of before the sign-in changes nothing');
    });

    it('an uninstall ends the sessions of the workspace, and a new install does not bring them back', async () => {
      const visitor = createVisitor();
      await stage.installIn('Globex');
      await stage.signIn(visitor, { userId: lena });
      assert.ok(await stage.memberOf(visitor));
      now += 2000;
      await stage.foyer().uninstall({ teamId: globex }, 'test');
      assert.equal(await stage.memberOf(visitor), undefined);
      assert.equal((await stage.signIn(createVisitor(), { userId: lena })).status, 403);
      now += 2000;
      await stage.installIn('Globex');
      assert.equal(await stage.memberOf(visitor), undefined);
    });

    it('a person who starts a sign-in in two tabs can finish both', async () => {
      const visitor = createVisitor();
      const first = await stage.pressSignIn(visitor, { userId: priya, returnTo: '/one' });
      const second = await stage.pressSignIn(visitor, { userId: priya, returnTo: '/two' });
      assert.equal((await visitor.get(second)).headers.get('location'), `${stage.url}/two`);
      assert.equal((await visitor.get(first)).headers.get('location'), `${stage.url}/one`);
      assert.ok(await stage.memberOf(visitor));
    });

    it('if Slack is down, Foyer answers a sign-in with status 502 and an id that is also in the log', async () => {
      const visitor = createVisitor();
      const callback = await stage.pressSignIn(visitor, { userId: priya });
      const method = 'openid.connect.token';
      stage.sandbox.faults.add({ method, failure: { type: 'status', status: 503 } });
      const answer = await visitor.get(callback);
      assert.equal(answer.status, 502);
      const id = /<code[^>]*>([\w-]{22})<\/code>/.exec(await answer.text())?.[1] ?? 'none';
      assert.ok(stage.logged().some((line) => line.includes(id)));
    });

    it('a sign-in leaves no code, token or state in the log or in the sessions table', async () => {
      const visitor = createVisitor();
      const callback = await stage.pressSignIn(visitor, { userId: priya });
      await visitor.get(callback);
      const { searchParams } = new URL(callback);
      const tokens = stage.sandbox.calls('openid.connect.token').map((call) => JSON.stringify(call));
      assert.ok(tokens.length > 0);
      const secrets = [searchParams.get('code'), searchParams.get('state'), ...visitor.cookies.values()];
      const kept = JSON.stringify([
        stage.logged(),
        await stage.database.rows<Record<string, string>>('select * from sessions'),
      ]);
      for (const secret of secrets) assert.ok(secret && !kept.includes(secret));
      assert.ok(!/eyJ[\w-]+\.eyJ/.test(kept), 'an ID token');
      assert.ok(!cookieHeader(visitor).includes('xoxp'));
    });

    it('a sign-in succeeds after Slack has changed its signing key', async () => {
      await stage.signIn(createVisitor(), { userId: priya });
      stage.sandbox.rotateSigningKey();
      assert.equal((await stage.signIn(createVisitor(), { userId: priya })).status, 303);
    });

    // From here on, Foyer refuses the sandbox's events: Foyer's clock jumps, and the sandbox signs with the real time.
    it('a session lasts twelve hours from its last use, and thirty days at most', async () => {
      const [used, unused] = [createVisitor(), createVisitor()];
      await stage.signIn(used, { userId: priya });
      await stage.signIn(unused, { userId: priya });
      for (let hours = 0; hours < 30 * 24 - 11; hours += 11) {
        now += 11 * 3_600_000;
        assert.ok(await stage.memberOf(used), `after ${hours + 11} hours`);
        if (hours > 0) assert.equal(await stage.memberOf(unused), undefined);
      }
      now += 11 * 3_600_000;
      assert.equal(await stage.memberOf(used), undefined);
    });

    it('once a day, Foyer asks Slack whether a signed-in person still exists; if Slack is down, it asks again an hour later', async () => {
      const { id: userId } = stage.sandbox.addMember({ teamId: acme, realName: 'Eve Silent' });
      const visitor = createVisitor();
      await stage.signIn(visitor, { userId });
      const asked = () => stage.sandbox.calls('users.info').length;
      const before = asked();
      for (let at = 0; at < 3; at += 1) {
        now += 6 * 3_600_000;
        assert.ok(await stage.memberOf(visitor));
      }
      assert.equal(asked(), before);
      now += 7 * 3_600_000;
      stage.sandbox.faults.add({ method: 'users.info', failure: { type: 'status', status: 503 } });
      assert.ok(await stage.memberOf(visitor));
      assert.equal(asked(), before + 1);
      // Slack sends no event about this person: only the answer of users.info shows that they are gone.
      const gone = { type: 'error', error: 'user_not_found' } as const;
      stage.sandbox.faults.add({ method: 'users.info', failure: gone });
      assert.ok(await stage.memberOf(visitor), 'not asked again at once');
      now += 3_600_000;
      assert.equal(await stage.memberOf(visitor), undefined);
      assert.equal(await stage.memberOf(visitor), undefined);
      assert.equal(asked(), before + 2);
      const deactivation = `select deactivated_at from memberships where user_id = '${userId}'`;
      assert.ok((await stage.database.rows<{ deactivated_at: number }>(deactivation))[0]?.deactivated_at);
      assert.equal((await stage.signIn(visitor, { userId })).status, 303);
      assert.equal(
        (await stage.database.rows<{ deactivated_at: number }>(deactivation))[0]?.deactivated_at,
        null,
      );
    });
  });
}

describe('the metrics of sign-ins', () => {
  it('the sign-in metric counts each sign-in once, under its outcome, and reports zero for outcomes that have not occurred', async (t) => {
    const stage = await setSignInStage({ environment: { OPERATOR_SLACK_USERS: `${acme}/${priya}` } });
    t.after(() => stage.close());
    const counted = async () => {
      const { samples } =
        parseExposition(await (await fetch(`${stage.url}/metrics`)).text()).get('foyer_sign_ins_total') ??
        assert.fail('no such family');
      return Object.fromEntries(samples.map(({ labels, value }) => [labels.outcome, value]));
    };
    const zeros = { signed_in: 0, cancelled: 0, refused: 0, unverified: 0, failed: 0 };
    assert.deepEqual(await counted(), zeros);
    await stage.installIn('Acme');
    const visitor = createVisitor();
    const callback = await stage.pressSignIn(visitor, { userId: priya });
    await visitor.get(callback);
    await stage.signIn(createVisitor(), { userId: priya, returnTo: '/operator' });
    assert.deepEqual(await counted(), { ...zeros, signed_in: 2 });

    await stage.signIn(visitor, { userId: priya, decision: 'cancel' });
    await visitor.get(callback);
    await stage.signIn(visitor, { userId: lena });
    await visitor.get(`${stage.url}/slack/signin?return_to=https://elsewhere.example`);
    await visitor.get(`${stage.url}/slack/signin/callback?error=made_up`);
    const state = async () =>
      new URL(
        (await visitor.get(`${stage.url}/slack/signin`)).headers.get('location') ?? '',
      ).searchParams.get('state');
    await visitor.get(`${stage.url}/slack/signin/callback?code=made-up&state=${await state()}`);
    assert.deepEqual(await counted(), { signed_in: 2, cancelled: 1, refused: 3, unverified: 2, failed: 0 });

    const method = 'openid.connect.token';
    stage.sandbox.faults.add({ method, failure: { type: 'status', status: 503 } });
    await stage.signIn(visitor, { userId: priya });
    await stage.database.change('alter table ended_sessions rename to ended_sessions_away');
    assert.equal((await stage.signIn(visitor, { userId: priya })).status, 500);
    assert.deepEqual(await counted(), { signed_in: 2, cancelled: 1, refused: 3, unverified: 2, failed: 2 });
  });
});

describe('Sign in with Slack in a Grid organization', () => {
  it('in a Grid organization, a sign-in finds the org-wide install and registers the person in the organization', async (t) => {
    const stage = await setSignInStage();
    t.after(() => stage.close());
    const { sandbox, url } = stage;
    const [owner, samir] = ['W07BILLLUM1', 'W07SAMIRN03'];
    const installer = createVisitor();
    const start = await installer.get(`${url}/slack/install`);
    const authorizeUrl = start.headers.get('location') ?? '';
    const choice = { authorizeUrl, userId: owner, enterpriseId: 'E07INITECHX' };
    assert.equal((await installer.get(await sandbox.consent(choice))).status, 303);
    const visitor = createVisitor();
    assert.equal((await stage.signIn(visitor, { userId: samir })).status, 303);
    const member = await stage.memberOf(visitor);
    assert.deepEqual(
      [member?.userId, member?.teamId, member?.enterpriseId],
      [samir, 'T07INIPROD5', 'E07INITECHX'],
    );
    const [row] = await stage.database.rows<Record<string, string>>(
      `select team_id from memberships where user_id = '${samir}'`,
    );
    assert.equal(row?.team_id, 'E07INITECHX');
    const teams = await stage.database.rows<Record<string, string>>(
      `select name from teams where team_id = 'E07INITECHX'`,
    );
    assert.doesNotMatch(JSON.stringify(teams), /Product/, 'an organization is not named after a workspace');
  });
});
