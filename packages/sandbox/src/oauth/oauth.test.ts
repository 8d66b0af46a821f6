import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorizeUrl,
  clientFor,
  codeFrom,
  exchange,
  install,
  redirectUri,
  refused,
  testManifest,
} from '../test-support/install.ts';
import { withSandbox } from '../test-support/with-sandbox.ts';

test('the consent page names the app, the workspace and the person, and says what the scopes allow', async (t) => {
  const { sandbox } = await withSandbox(t);
  const page = await fetch(authorizeUrl(sandbox));
  const text = await page.text();
  assert.equal(page.status, 200);
  for (const words of [
    'Porter',
    'Acme',
    'Grace Okafor',
    'Send messages as the app',
    'View people in the workspace',
  ]) {
    assert.ok(text.includes(words), words);
  }
  assert.match(text, /name="optional_scope" value="users:read.email" checked/);
});

test('the consent form redirects to the app with the code and the state', async (t) => {
  const { sandbox } = await withSandbox(t);
  const form = new URLSearchParams(new URL(authorizeUrl(sandbox)).search);
  form.set('user', sandbox.person('Acme').id);
  form.set('place', sandbox.workspace('Acme').id);
  form.set('decision', 'allow');
  const answer = await fetch(sandbox.authorizationUrl, { method: 'POST', body: form, redirect: 'manual' });
  assert.equal(answer.status, 302);
  const location = new URL(answer.headers.get('location') ?? '');
  assert.equal(location.origin + location.pathname, redirectUri);
  assert.equal(location.searchParams.get('state'), 'st4te');
  assert.ok(location.searchParams.get('code'));
});

test('“Cancel” on the consent page redirects to the app with access_denied and the state', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { id: teamId } = sandbox.workspace('Acme');
  const { id: userId } = sandbox.person('Acme');
  const location = await sandbox.consent({
    authorizeUrl: authorizeUrl(sandbox),
    teamId,
    userId,
    decision: 'cancel',
  });
  assert.equal(location, `${redirectUri}?error=access_denied&state=st4te`);
});

test('the consent page refuses an unknown client, an unregistered redirect, an undeclared scope and a request without scopes', async (t) => {
  const { sandbox } = await withSandbox(t);
  const bad = [
    [{ client_id: '1.2' }, 'invalid_client_id'],
    [{ redirect_uri: 'http://127.0.0.1:9/slack/oauth_redirectx' }, 'bad_redirect_uri'],
    [{ redirect_uri: 'http://localhost:9/slack/oauth_redirect' }, 'bad_redirect_uri'],
    [{ scope: 'chat:write,files:write' }, 'invalid_scope'],
    [{ scope: '' }, 'no_scopes'],
  ] as const;
  for (const [parameters, error] of bad) {
    const page = await fetch(authorizeUrl(sandbox, parameters));
    assert.equal(page.status, 400);
    assert.ok((await page.text()).includes(error), error);
  }
  assert.equal((await fetch(authorizeUrl(sandbox, { redirect_uri: `${redirectUri}/below` }))).status, 200);
});

test('an OAuth code works only once, within ten minutes, and with the right client secret and redirect_uri', async (t) => {
  const { sandbox } = await withSandbox(t);
  const whom = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
  const { clientId: client_id, clientSecret: client_secret } = sandbox.app;
  const access = clientFor(sandbox).oauth.v2.access;
  const code = await codeFrom(sandbox, whom);
  await refused(
    access({ client_id, client_secret: 'wrong', code, redirect_uri: redirectUri }),
    'bad_client_secret',
  );
  await refused(
    access({ client_id: 'wrong', client_secret, code, redirect_uri: redirectUri }),
    'invalid_client_id',
  );
  await refused(
    access({ client_id, client_secret, code, redirect_uri: `${redirectUri}/x` }),
    'bad_redirect_uri',
  );
  assert.equal((await exchange(sandbox, code)).ok, true);
  await refused(exchange(sandbox, code), 'code_already_used');
  await refused(exchange(sandbox, 'made.up'), 'invalid_code');
  const late = await codeFrom(sandbox, whom);
  await sandbox.clock.advance(10 * 60_000);
  await refused(exchange(sandbox, late), 'invalid_code');
});

test('oauth.v2.access accepts HTTP Basic authentication, and returns what Slack documents', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { id: teamId } = sandbox.workspace('Acme');
  const { id: userId } = sandbox.person('Acme');
  const code = await codeFrom(sandbox, { teamId, userId, parameters: { user_scope: 'users:read' } });
  const basic = Buffer.from(`${sandbox.app.clientId}:${sandbox.app.clientSecret}`).toString('base64');
  const response = await fetch(`${sandbox.apiUrl}oauth.v2.access`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ code, redirect_uri: redirectUri }),
  });
  const answer = (await response.json()) as Record<string, unknown> & {
    authed_user: Record<string, unknown>;
  };
  assert.match(String(answer.access_token), /^xoxb-/);
  assert.match(String(answer.authed_user.access_token), /^xoxp-/);
  assert.equal(answer.authed_user.id, userId);
  assert.deepEqual(answer.team, { id: teamId, name: 'Acme' });
  assert.equal(answer.enterprise, null);
  assert.equal(answer.is_enterprise_install, false);
  assert.equal(answer.token_type, 'bot');
  assert.equal(answer.app_id, sandbox.app.id);
  assert.equal(answer.refresh_token, undefined);
});

test('a person can decline an optional scope, and a later reinstall adds that scope to the same bot token', async (t) => {
  const { sandbox } = await withSandbox(t);
  const first = await install(sandbox, 'Acme', { declinedScopes: ['users:read.email', 'chat:write'] });
  assert.ok(!first.answer.scope?.includes('users:read.email'));
  assert.ok(first.answer.scope?.includes('chat:write'), 'a scope that is not optional cannot be declined');
  const { user } = await first.client.users.info({ user: first.userId });
  assert.equal(user?.profile?.email, undefined);
  const second = await install(sandbox, 'Acme', { parameters: { scope: 'users:read.email' } });
  assert.equal(second.token, first.token);
  assert.equal(second.answer.bot_user_id, first.answer.bot_user_id);
  assert.ok(second.answer.scope?.split(',').includes('im:write'));
  assert.equal(
    (await first.client.users.info({ user: first.userId })).user?.profile?.email,
    'grace.okafor@acme-robotics.example',
  );
});

test('with token rotation, a token expires, a refresh token works once, and a refresh revokes the old token', async (t) => {
  const manifest = { ...testManifest, settings: { ...testManifest.settings, token_rotation_enabled: true } };
  const { sandbox } = await withSandbox(t, { manifest });
  const { client, answer } = await install(sandbox);
  assert.match(String(answer.access_token), /^xoxe\.xoxb-1-/);
  assert.match(String(answer.refresh_token), /^xoxe-1-/);
  assert.equal(answer.expires_in, 43_200);
  const { clientId: client_id, clientSecret: client_secret } = sandbox.app;
  const refresh = (refresh_token: string) =>
    clientFor(sandbox).oauth.v2.access({
      client_id,
      client_secret,
      grant_type: 'refresh_token',
      refresh_token,
    });
  sandbox.setSuspended({ isSuspended: true });
  await refused(refresh(answer.refresh_token ?? ''), 'account_inactive');
  sandbox.setSuspended({ isSuspended: false });
  const fresh = await refresh(answer.refresh_token ?? '');
  assert.equal(fresh.team?.name, 'Acme');
  assert.equal(fresh.bot_user_id, answer.bot_user_id);
  await refused(refresh(answer.refresh_token ?? ''), 'invalid_refresh_token');
  await refused(client.auth.test(), 'token_revoked');
  const rotated = clientFor(sandbox, fresh.access_token);
  assert.equal((await rotated.auth.test()).ok, true);
  await sandbox.clock.advance(43_200_000);
  await refused(rotated.auth.test(), 'token_expired');
});

test('an org-wide install names no team, and cannot act in a workspace until it gets access there', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const [org] = sandbox.state().enterprises;
  assert.ok(org);
  const { id: userId } = sandbox.person('Initech Product');
  const answer = await exchange(sandbox, await codeFrom(sandbox, { enterpriseId: org.id, userId }));
  assert.equal(answer.team, null);
  assert.deepEqual(answer.enterprise, { id: org.id, name: 'Initech' });
  assert.equal(answer.is_enterprise_install, true);
  const client = clientFor(sandbox, answer.access_token);
  assert.equal((await client.auth.test()).team_id, org.id);
  await refused(client.users.info({ user: userId }), 'team_access_not_granted');
  await refused(client.chat.postMessage({ channel: userId, text: 'hi' }), 'team_access_not_granted');
  const { id: teamId } = sandbox.workspace('Initech Product');
  await sandbox.grantAccess({ enterpriseId: org.id, teamIds: [teamId] });
  assert.equal((await client.users.info({ user: userId, team_id: teamId } as { user: string })).ok, true);
  const [granted] = app.received;
  assert.equal(granted?.json.team_id, null);
  assert.equal(granted?.json.enterprise_id, org.id);
  assert.deepEqual(app.events('team_access_granted')[0]?.team_ids, [teamId]);
  const notAdmin = sandbox.person('Initech Product', 'member').id;
  await assert.rejects(codeFrom(sandbox, { enterpriseId: org.id, userId: notAdmin }), /org admin/);
});

test('an app without public distribution can be installed only in its own workspace and in the org of that workspace', async (t) => {
  const { sandbox } = await withSandbox(t);
  const product = sandbox.workspace('Initech Product');
  const admin = sandbox.person('Initech Product', 'owner').id;
  const org = {
    authorizeUrl: authorizeUrl(sandbox),
    enterpriseId: product.enterpriseId ?? '',
    userId: admin,
  };
  const errorFor = async (name: string): Promise<string | null> => {
    const place = { teamId: sandbox.workspace(name).id, userId: sandbox.person(name, 'owner').id };
    const location = await sandbox.consent({ authorizeUrl: authorizeUrl(sandbox), ...place });
    return new URL(location).searchParams.get('error');
  };
  sandbox.setDistribution({ onlyTeamId: sandbox.workspace('Acme').id });
  assert.equal(await errorFor('Acme'), null);
  assert.equal(await errorFor('Globex'), 'invalid_team_for_non_distributed_app');
  assert.match(await sandbox.consent(org), /error=invalid_team_for_non_distributed_app&state=st4te$/);
  sandbox.setDistribution({ onlyTeamId: product.id });
  assert.equal(await errorFor('Initech Sales'), 'invalid_team_for_non_distributed_app');
  assert.match(await sandbox.consent(org), /[?&]code=/);
  sandbox.setDistribution({ onlyTeamId: null });
  assert.equal(await errorFor('Globex'), null);
  assert.throws(() => sandbox.setDistribution({ onlyTeamId: 'T1' }), /no workspace T1/);
});

test('if admins must approve the app, a member can install it only after the approval', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { id: teamId } = sandbox.workspace('Globex');
  sandbox.requireApproval({ teamId, isRequired: true });
  const { id: userId } = sandbox.person('Globex', 'member');
  const page = await fetch(authorizeUrl(sandbox, { team: teamId, user: userId }));
  assert.match(await page.text(), /Request to install/);
  await assert.rejects(codeFrom(sandbox, { teamId, userId }), /must approve/);
  assert.equal(sandbox.state().approvalRequests.length, 1);
  sandbox.approve({ teamId });
  assert.ok(await codeFrom(sandbox, { teamId, userId }));
});
