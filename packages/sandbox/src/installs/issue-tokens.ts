import { digits, secretHex, slackId } from '../ids.ts';
import type { Platform } from '../platform.ts';
import { installationAt, liveTokens, placeKey } from '../world/find.ts';
import type { AuthorizationCode, Installation, Place, Token } from '../world/records.ts';
import type { World } from '../world/world.ts';

/** How long Slack's rotating access tokens are valid. */
export const rotatingTokenSeconds = 43_200;

export type IssuedTokens = { installation: Installation; bot: Token | null; user: Token | null };

/**
 * Installs the app for a redeemed code, or updates the installation.
 *
 * Why the union of scopes: Slack adds the requested scopes to those granted before. A request for fewer scopes removes
 * none. Only a revocation removes scopes.
 */
export function installFor(platform: Platform, code: AuthorizationCode): IssuedTokens {
  const { world, app, clock } = platform;
  const installation = installationAt(world, code.place) ?? createInstallation(platform, code);
  installation.botScopes = union(installation.botScopes, code.botScopes);
  if (code.isEnterpriseInstall) installation.isEnterpriseInstall = true;
  const rotates = app.settings.isTokenRotationEnabled;
  const issue = (kind: Token['kind'], userId: string, scopes: string[]): Token =>
    (rotates ? undefined : keptToken(world, installation.id, kind, userId, scopes)) ??
    issueToken(world, { kind, installationId: installation.id, userId, scopes, now: clock.now(), rotates });
  return {
    installation,
    bot: code.botScopes.length > 0 ? issue('bot', installation.botUserId, installation.botScopes) : null,
    user: code.userScopes.length > 0 ? issue('user', code.userId, code.userScopes) : null,
  };
}

function createInstallation(platform: Platform, code: AuthorizationCode): Installation {
  const { world, clock } = platform;
  const installation: Installation = {
    ...code.place,
    id: slackId('I'),
    isEnterpriseInstall: code.isEnterpriseInstall,
    ...botIdentity(world, code.place),
    botScopes: [],
    installerUserId: code.userId,
    installedAt: clock.now(),
    uninstalledAt: null,
    grantedTeamIds: [],
  };
  world.installations.set(installation.id, installation);
  return installation;
}

/** The app's bot user at a place: it stays the same after an uninstall and a reinstall. */
function botIdentity(world: World, place: Place) {
  const known = world.botIdentities.get(placeKey(place));
  if (known) return known;
  const identity = { botUserId: slackId('U'), botId: slackId('B') };
  world.botIdentities.set(placeKey(place), identity);
  return identity;
}

/** Returns the live token, if any, with the new scopes added: without rotation, Slack returns the same token again. */
function keptToken(
  world: World,
  installationId: string,
  kind: Token['kind'],
  userId: string,
  scopes: string[],
) {
  const kept = liveTokens(world, installationId).find((each) => each.kind === kind && each.userId === userId);
  if (kept) kept.scopes = union(kept.scopes, scopes);
  return kept;
}

/** Creates a token in Slack's format and stores it. */
export function issueToken(
  world: World,
  options: Pick<Token, 'kind' | 'installationId' | 'userId' | 'scopes'> & { now: number; rotates: boolean },
): Token {
  const { kind, installationId, userId, scopes, now, rotates } = options;
  const middle = `${digits(12)}-${digits(13)}`;
  const plain =
    kind === 'bot' ? `xoxb-${middle}-${secretHex(12)}` : `xoxp-${middle}-${digits(13)}-${secretHex(16)}`;
  const token: Token = {
    value: rotates ? `xoxe.${plain.slice(0, 5)}1-${secretHex(48)}` : plain,
    kind,
    installationId,
    userId,
    scopes: [...scopes],
    issuedAt: now,
    expiresAt: rotates ? now + rotatingTokenSeconds * 1000 : null,
    refreshToken: rotates ? `xoxe-1-${secretHex(48)}` : null,
    status: 'live',
  };
  world.tokens.set(token.value, token);
  return token;
}

/**
 * Exchanges a refresh token for new tokens and revokes the old ones, so each refresh token works only once. Returns
 * undefined if no live token has this refresh token.
 */
export function rotateToken(platform: Platform, refreshToken: string): Token | undefined {
  const { world, clock } = platform;
  const old = [...world.tokens.values()].find((token) => token.refreshToken === refreshToken);
  if (old?.status !== 'live') return undefined;
  old.status = 'revoked';
  return issueToken(world, { ...old, now: clock.now(), rotates: true });
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}
