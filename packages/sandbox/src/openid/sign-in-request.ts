import type { RegisteredApp } from '../app/registered-app.ts';
import { splitScopes } from '../app/scopes.ts';
import { isRegistered } from '../oauth/authorize-request.ts';

/** A checked request to sign a person in. */
export type SignInRequest = {
  /** `openid`, and `email` and `profile` if the app asks for them. */
  scopes: string[];
  redirectUri: string;
  /** `state` and `nonce` are null if the app sent none. */
  state: string | null;
  nonce: string | null;
  /** The workspace that the app asks for; null lets the person choose. */
  teamId: string | null;
  /** The PKCE challenge (S256); null if the app sent none. */
  codeChallenge: string | null;
};

export type SignInProblem = { code: string; explanation: string };

const knownScopes = ['openid', 'email', 'profile'];

/** Checks the query of `/openid/connect/authorize`, or the same fields in the form on that page. */
export function readSignInRequest(
  app: RegisteredApp,
  query: URLSearchParams,
): { request: SignInRequest } | { problem: SignInProblem } {
  if (query.get('client_id') !== app.clientId) {
    return problem('invalid_client_id', 'The sandbox has no app with this client_id.');
  }
  const { redirectUrls } = app.settings;
  const redirectUri = query.get('redirect_uri') || redirectUrls[0];
  if (!redirectUri || !isRegistered(redirectUri, redirectUrls)) {
    const registered = redirectUrls.join(', ') || 'none';
    return problem(
      'bad_redirect_uri',
      `redirect_uri did not match any configured URI. Sent: ${redirectUri ?? 'none'}. Configured: ${registered}.`,
    );
  }
  if (query.get('response_type') !== 'code') {
    return problem('unsupported_response_type', 'The response_type must be code.');
  }
  const scopes = splitScopes(query.get('scope'));
  const unknown = scopes.filter((scope) => !knownScopes.includes(scope));
  if (unknown.length > 0 || !scopes.includes('openid')) {
    return problem('invalid_scope', 'The scopes must include openid, and may include email and profile.');
  }
  const codeChallenge = query.get('code_challenge') || null;
  if (codeChallenge && query.get('code_challenge_method') !== 'S256') {
    return problem('invalid_code_challenge_method', 'The code_challenge_method must be S256.');
  }
  return {
    request: {
      scopes,
      redirectUri,
      state: query.get('state'),
      nonce: query.get('nonce'),
      teamId: query.get('team') || null,
      codeChallenge,
    },
  };
}

function problem(code: string, explanation: string): { problem: SignInProblem } {
  return { problem: { code, explanation } };
}
