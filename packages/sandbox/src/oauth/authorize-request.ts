import type { AppSettings } from '../app/manifest.ts';
import type { RegisteredApp } from '../app/registered-app.ts';
import { splitScopes } from '../app/scopes.ts';

/** A checked consent request: what the app asks a person for. */
export type AuthorizeRequest = {
  botScopes: string[];
  userScopes: string[];
  /**
   * The redirect address that the app sent. Null if it sent none: `returnTo` is then the app's first registered
   * address.
   */
  redirectUri: string | null;
  /** The address to which the browser returns. */
  returnTo: string;
  /** Null if the app sent no state. */
  state: string | null;
  /** The workspace (or org) that the app asks for; null lets the person choose. */
  teamId: string | null;
};

export type AuthorizeProblem = {
  code: 'invalid_client_id' | 'bad_redirect_uri' | 'invalid_scope' | 'no_scopes';
  explanation: string;
};

/** Checks the query of `/oauth/v2/authorize`, or the same fields in the consent form. */
export function readAuthorizeRequest(
  app: RegisteredApp,
  query: URLSearchParams,
): { request: AuthorizeRequest } | { problem: AuthorizeProblem } {
  const { settings } = app;
  if (query.get('client_id') !== app.clientId) {
    return problem('invalid_client_id', 'The sandbox has no app with this client_id.');
  }
  const redirectUri = query.get('redirect_uri') || null;
  const returnTo = redirectUri ?? settings.redirectUrls[0];
  if (!returnTo || (redirectUri && !isRegistered(redirectUri, settings.redirectUrls))) {
    const registered = settings.redirectUrls.join(', ') || 'none';
    return problem(
      'bad_redirect_uri',
      `redirect_uri did not match any configured URI. Sent: ${redirectUri ?? 'none'}. Configured: ${registered}.`,
    );
  }
  const botScopes = splitScopes(query.get('scope'));
  const userScopes = splitScopes(query.get('user_scope'));
  if (botScopes.length + userScopes.length === 0) return problem('no_scopes', 'The app asked for no scopes.');
  const unknown = unknownScopes(settings, botScopes, userScopes);
  if (unknown.length > 0) {
    return problem('invalid_scope', `The app's manifest does not list these scopes: ${unknown.join(', ')}.`);
  }
  const state = query.get('state');
  return {
    request: { botScopes, userScopes, redirectUri, returnTo, state, teamId: query.get('team') || null },
  };
}

function problem(code: AuthorizeProblem['code'], explanation: string): { problem: AuthorizeProblem } {
  return { problem: { code, explanation } };
}

function unknownScopes(settings: AppSettings, botScopes: string[], userScopes: string[]): string[] {
  return [
    ...botScopes.filter((scope) => !settings.botScopes.includes(scope)),
    ...userScopes.filter((scope) => !settings.userScopes.includes(scope)),
  ];
}

/** Whether the app registered this address, or a folder above it on the same origin. */
export function isRegistered(redirectUri: string, registered: readonly string[]): boolean {
  if (!URL.canParse(redirectUri)) return false;
  const asked = new URL(redirectUri);
  return registered.some((each) => {
    if (!URL.canParse(each)) return false;
    const known = new URL(each);
    if (known.origin !== asked.origin) return false;
    const folder = known.pathname.endsWith('/') ? known.pathname : `${known.pathname}/`;
    return asked.pathname === known.pathname || asked.pathname.startsWith(folder);
  });
}

/** The requested scopes that a person may decline: those that the manifest declares optional. */
export function optionalScopes(settings: AppSettings, request: AuthorizeRequest): string[] {
  const optional = [...settings.optionalBotScopes, ...settings.optionalUserScopes];
  return [...new Set([...request.botScopes, ...request.userScopes])].filter((scope) =>
    optional.includes(scope),
  );
}
