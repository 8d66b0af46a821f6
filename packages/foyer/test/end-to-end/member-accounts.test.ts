import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ConfigError, createFoyer, defineFoyer, readConfig } from '../../src/index.ts';
import { createDisconnectMember } from '../../src/installations/disconnect-member.ts';
import { TokenRefreshError } from '../../src/installations/token-source.ts';
import { startTestFoyer, type TestFoyer } from '../../src/testing/start-test-foyer.ts';
import { createVisitor, eventually, type Visitor } from '../../src/testing/visitor.ts';

const manifest = JSON.parse(readFileSync(new URL('../support/manifest.json', import.meta.url), 'utf8'));
manifest.oauth_config.scopes.user_optional = ['search:read'];

describe('a member’s own account', () => {
  let app: TestFoyer;
  let teamId: string;
  let installer: string;
  let member: string;

  before(async () => {
    app = await startTestFoyer(defineFoyer({ manifest, memberScopes: ['search:read'] }));
    const { sandbox } = app;
    teamId = sandbox.workspace('Acme').id;
    installer = sandbox.person('Acme').id;
    member = sandbox.person('Acme', 'member').id;
    await app.install({ userId: installer, teamId });
  });
  after(() => app.close());

  /** Presses "Connect your account"; returns the address that Slack redirects to, without visiting it. */
  async function ask(visitor: Visitor, userId: string, place = teamId, decision?: 'cancel'): Promise<string> {
    const start = await visitor.get(`${app.url}/slack/install?team=${place}&member=1`);
    const authorizeUrl = start.headers.get('location') ?? '';
    const asked = new URL(authorizeUrl).searchParams;
    assert.deepEqual([asked.get('scope'), asked.get('user_scope')], ['', 'search:read']);
    return app.sandbox.consent({ authorizeUrl, userId, teamId: place, decision });
  }

  async function connect(userId: string): Promise<Response> {
    const visitor = createVisitor();
    const answer = await visitor.get(await ask(visitor, userId));
    assert.equal(answer.status, 303);
    return visitor.get(new URL(answer.headers.get('location') ?? '', app.url).href);
  }

  const homeOf = (userId: string): string =>
    JSON.stringify(app.sandbox.homeView({ teamId, userId })?.blocks ?? []);

  it('an install asks only for the bot’s scopes, and does not connect the installer’s own account', async () => {
    const start = await createVisitor().get(`${app.url}/slack/install`);
    assert.equal(new URL(start.headers.get('location') ?? '').searchParams.get('user_scope'), null);
    await assert.rejects(app.foyer.slack({ teamId }, { userId: installer }));
  });

  it('connecting a member’s own account through Home leaves the installation, its run and the installer unchanged', async () => {
    await app.sandbox.openHome({ teamId, userId: member });
    await eventually(async () => homeOf(member).includes('Connect your account'));
    assert.match(homeOf(member), /member=1/);
    const installed = await app.foyer.find({ teamId });

    const page = await connect(member);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /Your account is connected/);
    await eventually(async () => homeOf(member).includes('Your account is connected'));
    assert.deepEqual(await app.foyer.find({ teamId }), installed);
    const slack = await app.foyer.slack({ teamId }, { userId: member });
    assert.equal((await slack.auth.test()).user_id, member);
    await assert.rejects(app.foyer.slack({ teamId }, { userId: installer }), 'no one else’s token');
    assert.equal(app.sandbox.calls('chat.postMessage').length, 1, 'one welcome, for the installer');
  });

  it('if a member reloads the callback after connecting their own account, the page says again that the account is connected', async () => {
    const visitor = createVisitor();
    const callback = await ask(visitor, member);
    await visitor.get(callback);
    const again = await visitor.get(callback);
    const page = await visitor.get(new URL(again.headers.get('location') ?? '', app.url).href);
    assert.match(await page.text(), /Your account is connected/);
  });

  it('after a member connects their own account, the status for the progress page is “succeeded”', async () => {
    const visitor = createVisitor();
    const answer = await visitor.get(await ask(visitor, member));
    const page = new URL(answer.headers.get('location') ?? '', app.url).href;
    const status = (await (await visitor.get(`${page}/status`)).json()) as Record<string, unknown>;
    assert.deepEqual([status.status, status.done, status.offers], ['succeeded', true, 'open']);
  });

  it('only the member’s own Home offers to disconnect the account, and disconnecting it revokes and erases the token', async () => {
    const slack = await app.foyer.slack({ teamId }, { userId: member });
    await app.sandbox.openHome({ teamId, userId: member });
    await eventually(async () => homeOf(member).includes('foyer.disconnect_account'));
    await app.sandbox.openHome({ teamId, userId: installer });
    assert.ok(!homeOf(installer).includes('foyer.disconnect_account'));

    await app.sandbox.press({ teamId, userId: member, actionId: 'foyer.disconnect_account' });
    await eventually(async () => homeOf(member).includes('foyer.connect_account'));
    await assert.rejects(app.foyer.slack({ teamId }, { userId: member }));
    await assert.rejects(slack.auth.test(), /token_revoked|invalid_auth|account_inactive/);
    assert.equal((await app.foyer.find({ teamId }))?.status, 'active');
  });

  it('a member’s own account stays connected if Slack cannot revoke its token, so the member can disconnect it later', async () => {
    await connect(member);
    app.sandbox.faults.add({ method: 'auth.revoke', failure: { type: 'status', status: 503 } });
    await app.sandbox.openHome({ teamId, userId: member });
    await eventually(async () => homeOf(member).includes('foyer.disconnect_account'));
    await app.sandbox.press({ teamId, userId: member, actionId: 'foyer.disconnect_account' });
    await eventually(async () => app.logged().some((line) => line.includes('could not be revoked')));
    assert.ok(await app.foyer.slack({ teamId }, { userId: member }));
  });

  it('if the app is not installed, Foyer refuses to connect a member’s own account, revokes the token and offers an install', async () => {
    const globex = app.sandbox.workspace('Globex').id;
    const visitor = createVisitor();
    const answer = await visitor.get(await ask(visitor, app.sandbox.person('Globex').id, globex));
    assert.equal(answer.status, 403);
    const page = await answer.text();
    assert.match(page, /Your workspace does not have/);
    assert.match(page, /We revoked it immediately/);
    assert.match(page, new RegExp(`/slack/install\\?team=${globex}"`));
    assert.equal(await app.foyer.find({ teamId: globex }), undefined);
  });

  it('if a member comes back without a code, the page has a link to connect their own account, not to install', async () => {
    const visitor = createVisitor();
    const callback = new URL(await ask(visitor, member));
    callback.searchParams.delete('code');
    assert.match(await (await visitor.get(callback.href)).text(), /member=1/);
  });

  it('if a member cancels while connecting their own account, the page has a link to try again', async () => {
    const visitor = createVisitor();
    const answer = await visitor.get(await ask(visitor, member, teamId, 'cancel'));
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /member=1/);
  });
});

it('Foyer does not start if it would ask members for a scope that the manifest does not list', async () => {
  const config = readConfig({
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET: 'c'.repeat(32),
    SLACK_SIGNING_SECRET: 's'.repeat(32),
  });
  const definition = defineFoyer({ manifest, config, memberScopes: ['files:read'] });
  await assert.rejects(createFoyer(definition), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.ok(
      error.problems.some(({ problem }) => problem === 'names files:read, which the manifest does not list'),
    );
    return true;
  });
});

describe('Foyer’s reports to Slack about connected members', () => {
  const scopes = ['search:read', 'users:write'];
  const reporting = structuredClone(manifest);
  reporting.oauth_config.scopes.user_optional = scopes;
  reporting.settings.event_subscriptions.bot_events.push('user_connection');

  async function start(t: TestContext, given: object, memberScopes: string[]) {
    const app = await startTestFoyer(defineFoyer({ manifest: given, memberScopes }));
    t.after(() => app.close());
    const { sandbox, url } = app;
    const teamId = sandbox.workspace('Acme').id;
    const userId = sandbox.person('Acme', 'member').id;
    await app.install({ userId: sandbox.person('Acme').id, teamId });
    const reports = () =>
      sandbox
        .calls('apps.user.connection.update')
        .map(({ arguments: given, answer }) => [given.user_id, given.status, answer?.ok]);
    async function connect(address = `${url}/slack/install?team=${teamId}&member=1`): Promise<void> {
      const visitor = createVisitor();
      const asked = await visitor.get(address);
      const authorizeUrl = asked.headers.get('location') ?? '';
      const answer = await visitor.get(await sandbox.consent({ authorizeUrl, userId, teamId }));
      assert.equal(answer.status, 303);
    }
    const isConnected = () =>
      app.foyer.slack({ teamId }, { userId }).then(
        () => true,
        () => false,
      );
    return { app, sandbox, teamId, userId, reports, connect, isConnected };
  }

  it('Foyer reports to Slack, with the member’s own token, when a member connects and disconnects', async (t) => {
    const { app, sandbox, teamId, userId, reports, connect, isConnected } = await start(t, reporting, scopes);
    await sandbox.requestConnection({ teamId, userId, subtype: 'connect' });
    const opened = await eventually(async () => sandbox.calls('views.open')[0]);
    const [address] = /http[^"\\]*\/slack\/install[^"\\]*/.exec(String(opened.arguments.view)) ?? [];
    await connect(address);
    await eventually(async () => reports().length === 1);
    assert.deepEqual(reports(), [[userId, 'connected', true]]);

    await sandbox.requestConnection({ teamId, userId, subtype: 'disconnect' });
    await eventually(async () => reports().length === 2 && !(await isConnected()));
    assert.deepEqual(reports()[1], [userId, 'disconnected', true]);
    assert.equal(sandbox.calls('auth.revoke').length, 1);
    assert.equal((await app.foyer.find({ teamId }))?.status, 'active');
  });

  it('members can connect and disconnect even if Slack refuses Foyer’s report about it', async (t) => {
    const { app, sandbox, teamId, userId, reports, connect, isConnected } = await start(t, reporting, scopes);
    const method = 'apps.user.connection.update';
    sandbox.faults.add({ method, failure: { type: 'error', error: 'fatal_error' }, times: 2 });
    await connect();
    await eventually(isConnected);
    await sandbox.requestConnection({ teamId, userId, subtype: 'disconnect' });
    await eventually(async () => !(await isConnected()));
    await eventually(async () => reports().length === 2);
    assert.ok(app.logged().some((line) => line.includes('could not report to Slack')));
  });

  it('Foyer reports no connected members to Slack if the app lacks the event `user_connection` or the member scope `users:write`', async (t) => {
    const without = structuredClone(reporting);
    without.settings.event_subscriptions.bot_events.pop();
    for (const [given, memberScopes] of [
      [without, scopes],
      [reporting, ['search:read']],
    ] as const) {
      const { sandbox, teamId, userId, reports, connect, isConnected } = await start(t, given, [
        ...memberScopes,
      ]);
      await connect();
      await eventually(isConnected);
      await sandbox.openHome({ teamId, userId });
      await eventually(async () =>
        JSON.stringify(sandbox.homeView({ teamId, userId })?.blocks ?? []).includes(
          'foyer.disconnect_account',
        ),
      );
      await sandbox.press({ teamId, userId, actionId: 'foyer.disconnect_account' });
      await eventually(async () => !(await isConnected()));
      assert.deepEqual(reports(), []);
    }
  });
});

describe('disconnecting an account', () => {
  const home = { team: undefined, enterprise: { id: 'E1' }, isEnterpriseInstall: true };
  async function disconnect(given: { refused?: string; appWorks?: boolean; renewal?: Error } = {}) {
    const renewed: unknown[] = [];
    const revoked: unknown[] = [];
    const store = {
      readInstallation: async () => ({ installation: { ...home, user: { id: 'U1', token: 'xoxp-1' } } }),
      revokeUserTokens: async (...query: unknown[]) => revoked.push(query),
    };
    const renewExpired = async (holder: unknown) => {
      renewed.push(holder);
      if (given.renewal) throw given.renewal;
    };
    const slack = () => ({
      auth: {
        async revoke() {
          const data = { ok: false, error: given.refused };
          if (given.refused)
            throw Object.assign(new Error(given.refused), { code: 'slack_webapi_platform_error', data });
        },
      },
    });
    const disconnectMember = createDisconnectMember({
      store,
      tokens: { renewExpired, appWorks: async () => given.appWorks ?? true },
      slack,
      reportConnection: async () => {},
      log: { warn() {} },
    } as never);
    return { outcome: await disconnectMember('ins_1', 'U1'), renewed, revoked };
  }
  const query = { teamId: undefined, enterpriseId: 'E1', isEnterpriseInstall: true };

  it('disconnecting an account keeps an expired token that could not be renewed, since an erased token can no longer be revoked', async () => {
    const { outcome, revoked } = await disconnect({ renewal: new TokenRefreshError('U1', 'timeout') });
    assert.deepEqual([outcome, revoked], ['unreachable', []]);
  });

  it('disconnecting an account revokes and erases a user token that belongs to an org-wide install, and needs no working bot', async () => {
    const { outcome, renewed, revoked } = await disconnect();
    assert.equal(outcome, 'disconnected');
    assert.deepEqual(renewed, [{ installationId: 'ins_1', userId: 'U1' }]);
    assert.deepEqual(revoked, [[query, { userIds: ['U1'], reason: 'disconnected' }]]);
  });

  it('disconnecting an account erases a token that Slack calls inactive only if Slack accepts the app’s other tokens', async () => {
    const refused = 'account_inactive';
    assert.equal((await disconnect({ refused })).outcome, 'disconnected');
    const { outcome, revoked } = await disconnect({ refused, appWorks: false });
    assert.deepEqual([outcome, revoked], ['unreachable', []]);
    const gone = await disconnect({ refused: 'token_revoked', appWorks: false });
    assert.equal(gone.outcome, 'disconnected');
  });
});
