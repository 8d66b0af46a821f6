import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { engines } from '../support/open-test-database.ts';
import type { EngineName } from '../support/stage-database.ts';
import {
  type ConnectStage,
  claimsOf,
  host,
  resultOf,
  secret,
  setConnectStage,
  sign,
  ticketOf,
} from './connect-stage.ts';

for (const engine of Object.keys(engines) as EngineName[]) {
  describe(`connecting with a link, on ${engine}`, () => {
    let stage: ConnectStage;
    before(async () => {
      stage = await setConnectStage({ engine });
    });
    after(() => stage.close());
    const scene = () => Promise.all([stage.stored(), stage.installs()]);

    it('a link that is not bound to a browser first shows the account, and Foyer stores nothing until the person approves at Slack', async () => {
      const person = stage.person('Acme');
      const claims = claimsOf({ label: 'Acme <script>alert(1)</script> & "Söhne"', data: { plan: 'pro' } });
      const page = await stage.openLink(person.visitor, sign(claims), { press: false });
      const text = await page.text();
      assert.equal(page.status, 200);
      assert.match(text, /Acme &lt;script&gt;alert\(1\)&lt;\/script&gt; &amp; &quot;Söhne&quot;/);
      assert.match(page.headers.get('content-security-policy') ?? '', /form-action 'self' https:/);
      assert.deepEqual(await stage.database.rows('select id from install_requests'), []);
      const press = { ticket: ticketOf(text), decision: 'continue' };
      const pressed = await person.visitor.post(`${stage.url}/slack/install`, press);
      assert.equal(pressed.status, 303);
      assert.deepEqual(await stage.database.rows('select id from install_requests'), []);

      const result = resultOf(await stage.decide(person, pressed));
      const { jti, sub, org } = claims;
      const [row] = await stage.database.rows<{ id: string; run_id: string }>(
        'select i.id, r.id as run_id from installations i join runs r on r.installation_id = i.id',
      );
      assert.deepEqual(result, {
        jti,
        subject: sub,
        org,
        outcome: 'installed',
        error: null,
        teamId: person.teamId,
        teamName: 'Acme',
        enterpriseId: null,
        isEnterpriseInstall: false,
        installationId: row?.id,
        runId: row?.run_id,
      });
      const connection = await stage.foyer().connections.find({ org: 'org-1' });
      assert.deepEqual(connection?.data, { plan: 'pro' });
      assert.equal(connection?.subject, 'user-1');
      assert.equal((await (await stage.foyer().slack({ org: 'org-1' })).auth.test()).team_id, person.teamId);
    });

    it('if the host has bound a link to a browser, the link leads this browser straight to Slack', async () => {
      const person = stage.person('Globex');
      let url = '';
      const app = createServer(async (_req, res) => {
        const made = await stage
          .foyer()
          .connect({ subject: 'user-2', org: 'org-2', returnTo: `${host}/done` }, res);
        url = made.url;
        res.end();
      }).listen(0, '127.0.0.1');
      await once(app, 'listening');
      const { port } = app.address() as AddressInfo;
      const asked = await person.visitor.get(`http://127.0.0.1:${port}/`);
      app.close();
      assert.match(asked.headers.getSetCookie()[0] ?? '', /; Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax$/);
      const toSlack = await person.visitor.get(url);
      assert.equal(toSlack.status, 302);
      const elsewhere = await createVisitor().get(url);
      assert.equal(elsewhere.status, 200, 'another browser is asked');
      const result = resultOf(await stage.decide(person, toSlack), `${host}/done`);
      assert.deepEqual([result.outcome, result.org], ['installed', 'org-2']);
      assert.deepEqual(await stage.stored(), ['Acme → org-1', 'Globex → org-2']);
    });

    it('a connect link that is opened again redirects to the host with the result of its first use', async () => {
      const [first, second] = [stage.person('Acme'), stage.person('Globex')];
      const token = sign(claimsOf());
      const result = resultOf(await stage.connect(first, token));
      const before = await scene();
      const again = resultOf(await stage.openLink(second.visitor, token));
      assert.deepEqual(again, result);
      assert.deepEqual(await scene(), before);
    });

    it('reloading the OAuth callback of a link redirects to the host again with the same result', async () => {
      const person = stage.person('Acme');
      const { visitor, ...choice } = person;
      const authorizeUrl = (await stage.openLink(visitor, sign(claimsOf()))).headers.get('location') ?? '';
      const callback = await stage.sandbox.consent({ authorizeUrl, ...choice });
      const first = resultOf(await visitor.get(callback));
      assert.deepEqual(resultOf(await visitor.get(callback)), first);
    });

    it('if two workspaces use a link at the same time, Foyer connects one of them and revokes the other’s new tokens', async () => {
      const people = [
        stage.sandbox.addWorkspace({ name: 'Hooli' }),
        stage.sandbox.addWorkspace({ name: 'Umbrella' }),
      ].map(({ name }) => stage.person(name));
      const token = sign(claimsOf({ org: 'org-race' }));
      const callbacks = await Promise.all(
        people.map(async ({ visitor, ...choice }) => {
          const authorizeUrl = (await stage.openLink(visitor, token)).headers.get('location') ?? '';
          return { visitor, url: await stage.sandbox.consent({ authorizeUrl, ...choice }) };
        }),
      );
      const revoked = stage.sandbox.calls('auth.revoke').length;
      const answers = await Promise.all(callbacks.map(({ visitor, url }) => visitor.get(url)));
      const results = answers.map((answer) => resultOf(answer));
      assert.deepEqual(results[0], results[1]);
      assert.equal((await stage.stored()).filter((line) => line.endsWith('org-race')).length, 1);
      assert.equal(stage.sandbox.calls('auth.revoke').length, revoked + 1);
      assert.equal(await stage.installs(), 3);
    });

    it('if the person cancels at Slack, Foyer sends the host a result, and the link still works afterward', async () => {
      const person = stage.person('Acme');
      const token = sign(claimsOf({ jti: 'cancelled-first' }));
      const cancelled = await stage.decide(person, await stage.openLink(person.visitor, token), 'cancel');
      const result = resultOf(cancelled);
      assert.deepEqual(
        [result.outcome, result.error, result.jti],
        ['cancelled', 'access_denied', 'cancelled-first'],
      );
      assert.equal(resultOf(await stage.connect(person, token)).outcome, 'installed');
    });

    it('if the person cancels on Foyer’s confirmation page, Foyer sends the host a result without a visit to Slack', async () => {
      const visitor = createVisitor();
      const page = await stage.openLink(visitor, sign(claimsOf()), { press: false });
      const press = { ticket: ticketOf(await page.text()), decision: 'cancel' };
      const result = resultOf(await visitor.post(`${stage.url}/slack/install`, press));
      assert.equal(result.outcome, 'cancelled');
    });

    it('a link is refused if the workspace is already connected to another account, and the refusal does not name that account', async () => {
      const person = stage.person('Acme');
      const before = await scene();
      const revoked = stage.sandbox.calls('auth.revoke').length;
      const answer = await stage.connect(person, sign(claimsOf({ org: 'org-9', sub: 'user-9' })));
      const result = resultOf(answer);
      assert.deepEqual([result.outcome, result.error, result.org], ['refused', 'already_connected', 'org-9']);
      assert.ok(!JSON.stringify(result).includes('org-1'));
      assert.deepEqual(await scene(), before);
      assert.equal(stage.sandbox.calls('auth.revoke').length, revoked, 'the stored token is in use');
      assert.equal((await (await stage.foyer().slack({ org: 'org-1' })).auth.test()).ok, true);
      const page = await stage.connect(
        stage.person('Acme'),
        sign(claimsOf({ org: 'org-9', return_to: undefined })),
      );
      assert.equal(page.status, 403);
      const text = await page.text();
      assert.match(text, /This workspace is already connected/);
      assert.ok(!text.includes('org-1') && !text.includes('user-1'));
      const requests = await stage.database.rows("select id from install_requests where outcome = 'refused'");
      assert.equal(requests.length, 2);
    });

    it('a link that names a workspace connects no other workspace', async () => {
      const acme = stage.person('Acme');
      const initech = stage.sandbox.addWorkspace({ name: 'Vandelay' });
      const before = await scene();
      const answer = await stage.connect(stage.person('Vandelay'), sign(claimsOf({ team: acme.teamId })));
      const result = resultOf(answer);
      assert.deepEqual(
        [result.outcome, result.error, result.teamId],
        ['refused', 'other_workspace', initech.id],
      );
      assert.deepEqual(await scene(), before);
      const right = resultOf(await stage.connect(acme, sign(claimsOf({ team: acme.teamId }))));
      assert.equal(right.outcome, 'installed');
    });

    it('a reinstall without a link leaves the connection unchanged', async () => {
      const person = stage.person('Acme');
      const before = await stage.foyer().connections.find({ org: 'org-1' });
      await install(person.visitor, stage.url, stage.sandbox, person);
      assert.deepEqual(await stage.foyer().connections.find({ org: 'org-1' }), before);
    });

    it('a connection cannot be used after an uninstall, and is active again after a reinstall', async () => {
      const person = stage.person('Acme');
      await stage.sandbox.uninstall({ teamId: person.teamId });
      const status = async () => (await stage.foyer().connections.find({ org: 'org-1' }))?.status;
      await eventually(async () => (await status()) === 'uninstalled');
      await assert.rejects(stage.foyer().slack({ org: 'org-1' }), { name: 'InstallationNotFoundError' });
      await install(person.visitor, stage.url, stage.sandbox, person);
      assert.equal(await status(), 'active');
    });

    it('after an uninstall, a link can connect the workspace to a different account', async () => {
      const person = stage.person('Acme');
      await stage.sandbox.uninstall({ teamId: person.teamId });
      const status = async () => (await stage.foyer().connections.find({ org: 'org-1' }))?.status;
      await eventually(async () => (await status()) === 'uninstalled');
      assert.equal(
        resultOf(await stage.connect(person, sign(claimsOf({ org: 'org-7' })))).outcome,
        'installed',
      );
      assert.ok((await stage.stored()).includes('Acme → org-7'));
      assert.equal(await status(), undefined);
    });

    it('deleting an installation deletes its connection, but the link of that connection still counts as used', async () => {
      const workspace = stage.sandbox.addWorkspace({ name: 'Wonka' });
      const person = stage.person('Wonka');
      const token = sign(claimsOf({ org: 'org-purge' }));
      const { installationId } = resultOf(await stage.connect(person, token));
      await stage.database.change('delete from installations where id = ?', installationId);
      assert.ok(!(await stage.stored()).some((line) => line.includes('org-purge')));
      const again = await stage.openLink(person.visitor, token);
      assert.equal(again.status, 400);
      assert.match(await again.text(), /already used/);
      assert.ok(workspace.id);
    });

    it('a connection can be removed while its installation stays', async () => {
      const { connections } = stage.foyer();
      const found = await connections.find({ org: 'org-2' });
      assert.equal(await connections.remove(found?.id ?? ''), true);
      assert.equal(await connections.remove(found?.id ?? ''), false);
      assert.equal(await connections.find({ org: 'org-2' }), undefined);
      assert.equal((await stage.foyer().find({ teamId: found?.teamId ?? '' }))?.status, 'active');
    });

    it('a link connects a whole organization, and returns the same result if it is opened again', async () => {
      const visitor = createVisitor();
      const token = sign(claimsOf({ org: 'org-grid', team: 'E07INITECHX' }));
      const authorizeUrl = (await stage.openLink(visitor, token)).headers.get('location') ?? '';
      const userId = stage.sandbox.person('Initech Product', 'owner').id;
      const callback = await stage.sandbox.consent({ authorizeUrl, userId, enterpriseId: 'E07INITECHX' });
      const result = resultOf(await visitor.get(callback));
      assert.equal(result.outcome, 'installed');
      assert.deepEqual([result.teamId, result.teamName], [null, null]);
      assert.deepEqual([result.enterpriseId, result.isEnterpriseInstall], ['E07INITECHX', true]);
      assert.deepEqual(resultOf(await stage.openLink(createVisitor(), token)), result);
      assert.equal((await stage.foyer().connections.find({ org: 'org-grid' }))?.enterpriseId, 'E07INITECHX');
    });

    it('a link for one workspace of an organization must name the workspace, and is refused if it names the organization', async () => {
      const person = stage.person('Initech Sales');
      const org = await stage.connect(person, sign(claimsOf({ team: 'E07INITECHX' })));
      assert.deepEqual([resultOf(org).outcome, resultOf(org).error], ['refused', 'other_workspace']);
      const { teamId } = person;
      const own = resultOf(await stage.connect(person, sign(claimsOf({ org: 'org-sales', team: teamId }))));
      assert.deepEqual([own.outcome, own.teamId, own.enterpriseId], ['installed', teamId, 'E07INITECHX']);
    });

    it('the log contains neither the connect secret nor the tokens of links and results', () => {
      const lines = stage.logged().join('\n');
      assert.ok(!lines.includes(secret));
      assert.ok(!/eyJ[\w-]+\.[\w-]+\.[\w-]+/.test(lines));
    });
  });
}

describe('a workspace that is already connected', () => {
  it('a workspace moves to another account after its installer has confirmed the move', async (t) => {
    const stage = await setConnectStage({ definition: { onConflict: 'move' } });
    t.after(() => stage.close());
    const [acme, globex] = [stage.person('Acme'), stage.person('Globex')];
    await stage.connect(acme, sign(claimsOf({ org: 'org-1' })));
    await stage.connect(globex, sign(claimsOf({ org: 'org-2' })));

    const token = sign(claimsOf({ org: 'org-3', label: 'Third & Co' }));
    const asked = await stage.connect(acme, token);
    const text = await asked.text();
    assert.equal(asked.status, 200);
    assert.match(text, /Move this workspace\?/);
    assert.match(text, /Third &amp; Co/);
    assert.ok(!text.includes('org-1'));
    assert.deepEqual(await stage.stored(), ['Acme → org-1', 'Globex → org-2']);

    const press = { ticket: ticketOf(text), decision: 'continue' };
    // The confirmation is only for Acme, but the person chooses Globex at Slack.
    const elsewhere = await acme.visitor.post(`${stage.url}/slack/install`, press);
    const wrong = await stage.decide({ ...globex, visitor: acme.visitor }, elsewhere);
    assert.match(await wrong.text(), /Move this workspace\?/);
    assert.deepEqual(await stage.stored(), ['Acme → org-1', 'Globex → org-2']);

    const pressed = await acme.visitor.post(`${stage.url}/slack/install`, press);
    assert.equal(resultOf(await stage.decide(acme, pressed)).outcome, 'installed');
    assert.deepEqual(await stage.stored(), ['Acme → org-3', 'Globex → org-2']);
    const history = await stage.database.rows<{ kind: string; detail: string }>(
      "select kind, detail from history where kind in ('connected', 'disconnected') order by id",
    );
    assert.deepEqual(history.map(({ kind, detail }) => `${kind} ${detail}`).slice(2), [
      'disconnected org-1',
      'connected org-3',
    ]);
  });

  it('a workspace that is connected to one account can be connected to a second one if the definition allows sharing', async (t) => {
    const stage = await setConnectStage({ definition: { onConflict: 'share' } });
    t.after(() => stage.close());
    const acme = stage.person('Acme');
    await stage.connect(acme, sign(claimsOf({ org: 'org-1' })));
    assert.equal(resultOf(await stage.connect(acme, sign(claimsOf({ org: 'org-2' })))).outcome, 'installed');
    assert.deepEqual(await stage.stored(), ['Acme → org-1', 'Acme → org-2']);
    for (const org of ['org-1', 'org-2'])
      assert.equal((await (await stage.foyer().slack({ org })).auth.test()).team_id, acme.teamId);
  });
});

describe('a link for an install that fails', () => {
  it('if the install fails, Foyer stores nothing and revokes the new tokens, and the link still works afterward', async (t) => {
    const stage = await setConnectStage();
    t.after(() => stage.close());
    const [acme, globex] = [stage.person('Acme'), stage.person('Globex')];
    resultOf(await stage.connect(globex, sign(claimsOf({ org: 'org-2' }))));
    const token = sign(claimsOf());

    stage.sandbox.faults.add({ method: 'auth.test', failure: { type: 'status', status: 500 } });
    const unreachable = resultOf(await stage.connect(acme, token));
    assert.deepEqual([unreachable.outcome, unreachable.org], ['failed', 'org-1']);
    assert.deepEqual(await stage.stored(), ['Globex → org-2']);
    assert.equal(stage.sandbox.calls('auth.revoke').length, 1);

    // A trigger refuses the new row of `connections`. So Foyer must not store the installation either.
    await stage.database.change(
      "create trigger refuse before insert on connections begin select raise(abort, 'no'); end",
    );
    const unwritten = resultOf(await stage.connect(acme, token));
    assert.equal(unwritten.outcome, 'failed');
    assert.deepEqual([await stage.stored(), await stage.installs()], [['Globex → org-2'], 1]);
    assert.equal(stage.sandbox.calls('auth.revoke').length, 2);

    await stage.database.change('drop trigger refuse');
    assert.equal(resultOf(await stage.connect(acme, token)).outcome, 'installed');
    assert.deepEqual(await stage.stored(), ['Acme → org-1', 'Globex → org-2']);
  });
});

describe('an install without a link', () => {
  it('an install without a link redirects to the URLs from the environment, with a result that carries the install request’s id', async (t) => {
    const stage = await setConnectStage({
      environment: {
        SLACK_SUCCESS_REDIRECT_URL: `${host}/welcome?from=slack`,
        SLACK_ERROR_REDIRECT_URL: `${host}/failed`,
      },
    });
    t.after(() => stage.close());
    const acme = stage.person('Acme');
    const start = () => acme.visitor.get(`${stage.url}/slack/install`);
    const cancelled = resultOf(await stage.decide(acme, await start(), 'cancel'), `${host}/failed`);
    assert.deepEqual(
      [cancelled.outcome, cancelled.error, cancelled.org],
      ['cancelled', 'access_denied', null],
    );
    const installed = resultOf(await stage.decide(acme, await start()), `${host}/welcome`);
    assert.deepEqual([installed.outcome, installed.teamId, installed.org], ['installed', acme.teamId, null]);
    const [request] = await stage.database.rows<{ id: string }>(
      "select id from install_requests where outcome = 'installed'",
    );
    assert.equal(installed.jti, request?.id);
    assert.deepEqual(await stage.stored(), []);
  });

  it('if an install fails and its connect link names no return address, the page offers to try again with that link', async (t) => {
    const stage = await setConnectStage();
    t.after(() => stage.close());
    const { return_to: _, ...claims } = claimsOf();
    const acme = stage.person('Acme');
    const again = (page: string): string =>
      /href="\/slack\/install\?connect=([\w.-]+)"/.exec(page)?.[1] ?? assert.fail(page.slice(-2000));
    const asked = await stage.openLink(acme.visitor, sign(claims));
    const first = await (await stage.decide(acme, asked, 'cancel')).text();
    const question = await stage.openLink(acme.visitor, again(first), { press: false });
    const form = { ticket: ticketOf(await question.text()), decision: 'cancel' };
    const second = await (await acme.visitor.post(`${stage.url}/slack/install`, form)).text();
    assert.equal((await stage.connect(acme, again(second))).status, 303);
    assert.deepEqual(await stage.stored(), [`Acme → ${claims.org}`]);
  });

  it('if an install began without a connect link, its callback leads to the URL from the environment, even if the browser opens the callback again', async (t) => {
    const stage = await setConnectStage({
      environment: { SLACK_SUCCESS_REDIRECT_URL: `${host}/welcome` },
    });
    t.after(() => stage.close());
    const { visitor, userId, teamId } = stage.person('Acme');
    const start = await visitor.get(`${stage.url}/slack/install`);
    const authorizeUrl = start.headers.get('location') ?? '';
    const callback = await stage.sandbox.consent({ authorizeUrl, userId, teamId });
    const first = resultOf(await visitor.get(callback), `${host}/welcome`);
    assert.deepEqual(resultOf(await visitor.get(callback), `${host}/welcome`), first);
    const stranger = await createVisitor().get(callback);
    assert.equal(stranger.status, 400);
  });

  it('the page that a connect link opens allows its form to redirect to the URLs from the environment, even to localhost', async (t) => {
    const stage = await setConnectStage({
      environment: {
        SLACK_SUCCESS_REDIRECT_URL: 'http://localhost:4001/welcome',
        SLACK_ERROR_REDIRECT_URL: 'http://localhost:4002/failed',
      },
    });
    t.after(() => stage.close());
    const { return_to: _, ...claims } = claimsOf();
    const visitor = createVisitor();
    const page = await stage.openLink(visitor, sign(claims), { press: false });
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /form-action [^;]* http:\/\/localhost:4001 http:\/\/localhost:4002[ ;]/);
    const ticket = ticketOf(await page.text());
    const left = await visitor.post(`${stage.url}/slack/install`, { ticket, decision: 'cancel' });
    assert.match(left.headers.get('location') ?? '', /^http:\/\/localhost:4002\/failed\?foyer_result=/);
  });

  it('if CONNECT_SECRET is not set, an install redirects without a result, and links are refused', async (t) => {
    const stage = await setConnectStage({
      environment: {
        CONNECT_SECRET: '',
        CONNECT_RETURN_ORIGINS: '',
        CONNECT_CLAIM_URL: '',
        SLACK_ERROR_REDIRECT_URL: `${host}/failed`,
      },
    });
    t.after(() => stage.close());
    const acme = stage.person('Acme');
    const answer = await stage.decide(acme, await acme.visitor.get(`${stage.url}/slack/install`), 'cancel');
    assert.equal(answer.headers.get('location'), `${host}/failed`);
    const link = await createVisitor().get(stage.linkUrl(sign(claimsOf())));
    assert.equal(link.status, 400);
    assert.equal((await createVisitor().post(`${stage.url}/slack/install`)).status, 405);
    await assert.rejects(stage.foyer().connect({ org: 'org-1' }), { code: 'connect_off' });
  });
});
