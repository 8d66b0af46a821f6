import type { Platform } from '../platform.ts';
import type { Installation, Token } from '../world/records.ts';
import { Refusal } from './refusal.ts';

/** A request's token, from the Authorization header or a form's `token`; undefined if there is none. */
export function tokenIn(
  authorization: string | undefined,
  form: Record<string, unknown>,
): string | undefined {
  const bearer = /^Bearer\s+(.*)$/i.exec(authorization ?? '')?.[1]?.trim();
  if (bearer) return bearer;
  return typeof form.token === 'string' && form.token !== '' ? form.token : undefined;
}

/** Checks a token. Throws `not_authed`, `invalid_auth`, `token_revoked`, `token_expired` or `account_inactive`. */
export function authenticate(
  platform: Platform,
  value: string | undefined,
): { token: Token; installation: Installation } {
  const { world, clock, app } = platform;
  if (!value) throw new Refusal('not_authed');
  const token = world.tokens.get(value);
  const installation = token && world.installations.get(token.installationId);
  if (!token || !installation) throw new Refusal('invalid_auth');
  if (app.isSuspended) throw new Refusal('account_inactive');
  if (token.status === 'uninstalled') {
    // When an app is removed, Slack deactivates the bot user but revokes people's tokens, so the errors differ.
    throw new Refusal(token.kind === 'bot' ? 'account_inactive' : 'token_revoked');
  }
  if (token.status === 'revoked') throw new Refusal('token_revoked');
  if (token.expiresAt !== null && token.expiresAt <= clock.now()) throw new Refusal('token_expired');
  return { token, installation };
}

/**
 * If the token has none of `scopes`, throws `missing_scope`, which names `scopes` and the token's own scopes. If
 * `scopes` is empty, accepts every token.
 */
export function requireScope(token: Pick<Token, 'scopes'>, scopes: readonly string[]): void {
  if (scopes.length === 0 || scopes.some((scope) => token.scopes.includes(scope))) return;
  throw missingScope(token, scopes);
}

export function missingScope({ scopes }: Pick<Token, 'scopes'>, needed: readonly string[]): Refusal {
  return new Refusal('missing_scope', { needed: needed.join(','), provided: scopes.join(',') });
}
