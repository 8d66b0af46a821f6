import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
} from 'openid-client';
import type { Sandbox } from '../sandbox.ts';
import { clientFor, install, redirectUri, refused, testManifest } from '../test-support/install.ts';
import { withSandbox } from '../test-support/with-sandbox.ts';
import { type IdTokenFlaw, idTokenFlaws } from './id-token.ts';

function signInUrl(sandbox: Sandbox, parameters: Record<string, string> = {}): string {
  const query = {
    client_id: sandbox.app.clientId,
    scope: 'openid email profile',
    response_type: 'code',
    redirect_uri: redirectUri,
    state: 'st4te',
    nonce: 'n0nce',
  };
  return `${sandbox.url}/openid/connect/authorize?${new URLSearchParams({ ...query, ...parameters })}`;
}

function grace(sandbox: Sandbox) {
  return { userId: sandbox.person('Acme').id, teamId: sandbox.workspace('Acme').id };
}

async function codeFrom(sandbox: Sandbox, parameters: Record<string, string> = {}): Promise<string> {
  const location = await sandbox.signIn({
    authorizeUrl: signInUrl(sandbox, parameters),
    ...grace(sandbox),
  });
  return new URL(location).searchParams.get('code') ?? '';
}

function redeem(sandbox: Sandbox, code: string, more: Record<string, string> = {}) {
  const { clientId: client_id, clientSecret: client_secret } = sandbox.app;
  const fields = { client_id, client_secret, code, redirect_uri: redirectUri, ...more };
  return clientFor(sandbox).openid.connect.token(fields);
}

/** Signs in as Grace with the library that Foyer uses, with all of the library's checks on. */
async function signInWithLibrary(sandbox: Sandbox) {
  const { clientId, clientSecret } = sandbox.app;
  const config = await discovery(new URL(sandbox.url), clientId, clientSecret, undefined, {
    execute: [allowInsecureRequests],
  });
  enableNonRepudiationChecks(config);
  const [verifier, nonce] = [randomPKCECodeVerifier(), randomNonce()];
  const authorizeUrl = buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid email profile',
    state: 'st4te',
    nonce,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const location = await sandbox.signIn({ authorizeUrl: authorizeUrl.href, ...grace(sandbox) });
  const tokens = await authorizationCodeGrant(config, new URL(location), {
    expectedState: 'st4te',
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  });
  return { config, tokens };
}

test('the library openid-client can sign a person in, and checks PKCE, the nonce and the signature', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { config, tokens } = await signInWithLibrary(sandbox);
  const { userId, teamId } = grace(sandbox);
  const claims = tokens.claims();
  assert.equal(claims?.sub, userId);
  assert.equal(claims?.['https://slack.com/team_id'], teamId);
  const about = await fetchUserInfo(config, tokens.access_token, userId);
  assert.equal(about.email, 'grace.okafor@acme-robotics.example');
});

test('an ID token has the claims that Slack documents for the requested scopes', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { id_token = '', access_token = '', token_type } = await redeem(sandbox, await codeFrom(sandbox));
  const keys = createRemoteJWKSet(new URL(`${sandbox.url}/openid/connect/keys`));
  const { payload } = await jwtVerify(id_token, keys, {
    issuer: sandbox.url,
    audience: sandbox.app.clientId,
  });
  const { userId, teamId } = grace(sandbox);
  assert.equal(token_type, 'Bearer');
  assert.equal(decodeProtectedHeader(id_token).alg, 'RS256');
  assert.equal(payload.nonce, 'n0nce');
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 300);
  assert.equal(payload.auth_time, payload.iat);
  const hash = createHash('sha256').update(access_token).digest().subarray(0, 16).toString('base64url');
  assert.equal(payload.at_hash, hash);
  const told = Object.fromEntries(
    Object.entries(payload).filter(
      ([name]) => !/image|picture|^(iss|aud|exp|iat|auth_time|at_hash)$/.test(name),
    ),
  );
  assert.deepEqual(told, {
    sub: userId,
    nonce: 'n0nce',
    'https://slack.com/user_id': userId,
    'https://slack.com/team_id': teamId,
    email: 'grace.okafor@acme-robotics.example',
    email_verified: true,
    date_email_verified: 1_704_700_000,
    name: 'Grace Okafor',
    given_name: 'Grace',
    family_name: 'Okafor',
    locale: 'en-GB',
    'https://slack.com/team_name': 'Acme',
    'https://slack.com/team_domain': 'acme-robotics',
  });
  const bare = await redeem(sandbox, await codeFrom(sandbox, { scope: 'openid' }));
  const { payload: little } = await jwtVerify(bare.id_token ?? '', keys);
  assert.equal(little.email, undefined);
  assert.equal(little.name, undefined);
});

test('when a member of an org signs in to a workspace, the claims name both the workspace and the org', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { id: userId } = sandbox.person('Initech Sales', 'member');
  const location = await sandbox.signIn({ authorizeUrl: signInUrl(sandbox), userId });
  const { access_token } = await redeem(sandbox, new URL(location).searchParams.get('code') ?? '');
  const about = await clientFor(sandbox, access_token).openid.connect.userInfo();
  assert.equal(about['https://slack.com/team_id'], sandbox.workspace('Initech Sales').id);
  assert.equal(about['https://slack.com/enterprise_name'], 'Initech');
});

test('a sign-in code works only once, within ten minutes, and with the right client secret, redirect_uri and PKCE verifier', async (t) => {
  const { sandbox } = await withSandbox(t);
  const code = await codeFrom(sandbox);
  await refused(redeem(sandbox, code, { client_secret: 'wrong' }), 'bad_client_secret');
  await refused(redeem(sandbox, code, { client_id: 'wrong' }), 'invalid_client_id');
  await refused(redeem(sandbox, code, { redirect_uri: `${redirectUri}/x` }), 'bad_redirect_uri');
  assert.ok((await redeem(sandbox, code)).id_token);
  await refused(redeem(sandbox, code), 'code_already_used');
  await refused(redeem(sandbox, 'made.up'), 'invalid_code');
  const late = await codeFrom(sandbox);
  await sandbox.clock.advance(10 * 60_000);
  await refused(redeem(sandbox, late), 'invalid_code');
  const verifier = randomPKCECodeVerifier();
  const challenged = await codeFrom(sandbox, {
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  await refused(redeem(sandbox, challenged), 'bad_code_verifier');
  await refused(redeem(sandbox, challenged, { code_verifier: `${verifier}x` }), 'bad_code_verifier');
  assert.ok((await redeem(sandbox, challenged, { code_verifier: verifier })).id_token);
});

test('install tokens and sign-in tokens cannot do each other’s job, and revoking a sign-in token leaves the install alone', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, token } = await install(sandbox);
  await refused(client.openid.connect.userInfo(), 'missing_scope');
  const { access_token } = await redeem(sandbox, await codeFrom(sandbox));
  const signedIn = clientFor(sandbox, access_token);
  assert.equal((await signedIn.openid.connect.userInfo()).ok, true);
  await refused(signedIn.users.list({}), 'missing_scope');
  assert.equal((await signedIn.auth.revoke()).ok, true);
  await refused(signedIn.openid.connect.userInfo(), 'invalid_auth');
  assert.equal((await clientFor(sandbox, token).auth.test()).ok, true, 'the install token still works');
});

test('the sign-in page names the app and the person, and “Cancel” redirects to the app with access_denied', async (t) => {
  const { sandbox } = await withSandbox(t);
  const page = await (await fetch(signInUrl(sandbox))).text();
  for (const words of ['Sign in to Porter', 'Acme', 'Grace Okafor', 'Your email address']) {
    assert.ok(page.includes(words), words);
  }
  const form = new URLSearchParams(new URL(signInUrl(sandbox)).search);
  for (const [, name = '', value = ''] of page.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)) {
    form.set(name, value);
  }
  const press = async (decision: string) => {
    form.set('decision', decision);
    const [address] = signInUrl(sandbox).split('?');
    const answer = await fetch(address ?? '', { method: 'POST', body: form, redirect: 'manual' });
    return answer.headers.get('location') ?? '';
  };
  assert.match(await press('allow'), /^http:\/\/127\.0\.0\.1:9\/slack\/oauth_redirect\?code=.+&state=st4te$/);
  assert.equal(await press('cancel'), `${redirectUri}?error=access_denied&state=st4te`);
});

test('the sign-in page refuses an unknown client, an unregistered redirect and a scope outside OpenID', async (t) => {
  const { sandbox } = await withSandbox(t);
  const bad = [
    [{ client_id: '1.2' }, 'invalid_client_id'],
    [{ redirect_uri: 'http://localhost:9/slack/oauth_redirect' }, 'bad_redirect_uri'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ scope: 'email profile' }, 'invalid_scope'],
    [{ scope: 'openid users:read' }, 'invalid_scope'],
    [{ code_challenge: 'x', code_challenge_method: 'plain' }, 'invalid_code_challenge_method'],
  ] as const;
  for (const [parameters, error] of bad) {
    const page = await fetch(signInUrl(sandbox, parameters));
    assert.equal(page.status, 400, error);
    assert.ok((await page.text()).includes(error), error);
    await assert.rejects(codeFrom(sandbox, parameters), new RegExp(error));
  }
});

test('a guest can sign in, but a non-member or a deactivated member cannot, and without public distribution, only the app’s own workspace is open to sign-ins', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { teamId } = grace(sandbox);
  const guest = sandbox.addMember({ teamId, realName: 'Gus Guest', role: 'guest' });
  const authorizeUrl = signInUrl(sandbox, { team: teamId });
  assert.match(await sandbox.signIn({ authorizeUrl, userId: guest.id }), /code=/);
  const { client } = await install(sandbox);
  const { user } = await client.users.info({ user: guest.id });
  assert.deepEqual([user?.is_restricted, user?.is_admin], [true, false]);
  const { id: stranger } = sandbox.person('Globex');
  await assert.rejects(sandbox.signIn({ authorizeUrl, userId: stranger }), /is not a member/);
  sandbox.setDistribution({ onlyTeamId: sandbox.workspace('Globex').id });
  const elsewhere = await sandbox.signIn({ authorizeUrl, userId: guest.id });
  assert.match(elsewhere, /error=invalid_team_for_non_distributed_app/);
  sandbox.setDistribution({ onlyTeamId: null });
  await sandbox.deactivate({ userId: guest.id });
  await assert.rejects(sandbox.signIn({ authorizeUrl, userId: guest.id }), /was deactivated/);
  assert.equal((await client.users.info({ user: guest.id })).user?.deleted, true);
  await sandbox.reactivate({ userId: guest.id });
  assert.match(await sandbox.signIn({ authorizeUrl, userId: guest.id }), /code=/);
});

test('the sandbox sends user_change for a deactivated member if the app subscribes to that event', async (t) => {
  const { settings } = testManifest;
  const bot_events = [...settings.event_subscriptions.bot_events, 'user_change'];
  const manifest = { ...testManifest, settings: { ...settings, event_subscriptions: { bot_events } } };
  const { sandbox, app } = await withSandbox(t, { manifest });
  const { userId } = await install(sandbox);
  await sandbox.deactivate({ userId });
  const [event] = app.events('user_change');
  const { user } = event as { user: { id: string; deleted: boolean } };
  assert.deepEqual([user.id, user.deleted], [userId, true]);
});

/** The error of openid-client for each flaw; null for a flaw that only the app can check. */
const refusals: Record<IdTokenFlaw, RegExp | null> = {
  'wrong-key': /signature verification failed/,
  'unknown-key-id': /no applicable|error when selecting/i,
  'no-signature': /JWT|alg/,
  'client-secret-signature': /alg/,
  'wrong-issuer': /iss/,
  'wrong-audience': /aud/,
  'wrong-nonce': /nonce/,
  'no-nonce': /nonce/,
  expired: /exp/,
  'from-the-future': null,
  'wrong-access-token-hash': null,
  'no-team': null,
  missing: /id_token/,
};

test('a flaw that a test adds affects only one ID token, and openid-client rejects every flaw that it can detect', async (t) => {
  const { sandbox } = await withSandbox(t);
  for (const flaw of idTokenFlaws) {
    sandbox.faults.add({ method: 'openid.connect.token', failure: { type: 'id-token', flaw } });
    const refusal = refusals[flaw];
    if (refusal) {
      await assert.rejects(signInWithLibrary(sandbox), (error: Error) => {
        const said = `${error.message} ${JSON.stringify(error.cause)} ${String((error.cause as Error)?.message)}`;
        assert.match(said, refusal, flaw);
        return true;
      });
    } else {
      const { tokens } = await signInWithLibrary(sandbox);
      if (flaw === 'no-team') assert.equal(tokens.claims()?.['https://slack.com/team_id'], undefined);
    }
    await signInWithLibrary(sandbox);
  }
});

test('planned failures affect OpenID requests for discovery, tokens and keys, and rotateSigningKey changes the keys', async (t) => {
  const { sandbox } = await withSandbox(t);
  for (const method of ['openid.configuration', 'openid.connect.token', 'openid.keys']) {
    sandbox.faults.add({ method, failure: { type: 'status', status: 503 } });
    await assert.rejects(signInWithLibrary(sandbox), method);
  }
  sandbox.faults.add({ method: 'openid.keys', failure: { type: 'hang', delayMs: 60_000 } });
  await assert.rejects(
    fetch(`${sandbox.url}/openid/connect/keys`, { signal: AbortSignal.timeout(50) }),
    /timeout/i,
  );
  const before = await (await fetch(`${sandbox.url}/openid/connect/keys`)).text();
  sandbox.rotateSigningKey();
  assert.notEqual(await (await fetch(`${sandbox.url}/openid/connect/keys`)).text(), before);
  await signInWithLibrary(sandbox);
});
