import { createHash } from 'node:crypto';
import { digits, secretHex } from '../ids.ts';
import { personClaims } from '../openid/id-token.ts';
import type { SignInCode } from '../world/records.ts';
import { type Answer, type Method, type OpenCall, openMethod } from './method.ts';
import { checkClient } from './oauth-access.ts';
import { Refusal } from './refusal.ts';

/** Redeems a code once. Throws `invalid_code`, `code_already_used`, `bad_redirect_uri` or `bad_code_verifier`. */
function redeemSignInCode({ platform, args }: OpenCall): SignInCode {
  const code = platform.world.signInCodes.get(args.text('code') ?? '');
  if (!code) throw new Refusal('invalid_code');
  if (code.isUsed) throw new Refusal('code_already_used');
  if (code.expiresAt <= platform.clock.now()) throw new Refusal('invalid_code');
  if (args.text('redirect_uri') !== code.redirectUri) throw new Refusal('bad_redirect_uri');
  if (code.codeChallenge !== null) {
    const hashed = createHash('sha256')
      .update(args.text('code_verifier') ?? '')
      .digest('base64url');
    if (hashed !== code.codeChallenge) throw new Refusal('bad_code_verifier');
  }
  code.isUsed = true;
  return code;
}

/** Exchanges a sign-in code for an ID token. Source: docs.slack.dev/reference/methods/openid.connect.token */
export const openidConnectToken = openMethod('special', async (call) => {
  checkClient(call);
  const grantType = call.args.text('grant_type') ?? 'authorization_code';
  if (grantType !== 'authorization_code') throw new Refusal('invalid_grant_type');
  const { platform } = call;
  const code = redeemSignInCode(call);
  const value = `xoxp-${digits(12)}-${digits(13)}-${digits(13)}-${secretHex(16)}`;
  const { userId, teamId, scopes } = code;
  platform.world.signInTokens.set(value, { value, userId, teamId, scopes });
  const idToken = await call.idTokens.sign(code, value, call.idTokenFlaw);
  return {
    ok: true,
    access_token: value,
    token_type: 'Bearer',
    ...(idToken === undefined ? {} : { id_token: idToken }),
  };
});

/** What the ID token says about the person. Source: docs.slack.dev/reference/methods/openid.connect.userInfo */
export const openidConnectUserInfo: Method = {
  needs: 'sign-in',
  tier: 'tier3',
  run({ platform, signIn }): Answer {
    return { ok: true, ...personClaims(platform, signIn) };
  },
};

/** The discovery document: Slack's values, with the sandbox's own addresses. */
export const openidConfiguration = openMethod('special', ({ platform }) => {
  const issuer = platform.url();
  return {
    issuer,
    authorization_endpoint: `${issuer}/openid/connect/authorize`,
    token_endpoint: `${issuer}/api/openid.connect.token`,
    userinfo_endpoint: `${issuer}/api/openid.connect.userInfo`,
    jwks_uri: `${issuer}/openid/connect/keys`,
    scopes_supported: ['openid', 'profile', 'email'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    claims_supported: ['sub', 'auth_time', 'iss'],
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: true,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
  };
});

export const openidKeys = openMethod('special', async ({ idTokens }) => ({ keys: await idTokens.keys() }));
