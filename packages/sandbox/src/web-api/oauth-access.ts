import { secretHex } from '../ids.ts';
import { installFor, rotateToken } from '../installs/issue-tokens.ts';
import type { Platform } from '../platform.ts';
import { installationAt } from '../world/find.ts';
import type { AuthorizationCode, Installation, Place, Token } from '../world/records.ts';
import { type Answer, type OpenCall, openMethod } from './method.ts';
import { Refusal } from './refusal.ts';

/** Checks the client id and secret in HTTP Basic (which Slack prefers) or the arguments. Throws if either is wrong. */
export function checkClient({ platform: { app }, args, authorization }: OpenCall): void {
  const basic = /^Basic\s+(.+)$/i.exec(authorization ?? '')?.[1];
  const [id, secret] = basic
    ? Buffer.from(basic, 'base64').toString('utf8').split(':').map(decodeURIComponent)
    : [args.text('client_id'), args.text('client_secret')];
  if (id !== app.clientId) throw new Refusal('invalid_client_id');
  if (secret !== app.clientSecret) throw new Refusal('bad_client_secret');
}

/**
 * Redeems a code, once. Throws `invalid_code` (also if it is too old), `bad_redirect_uri`, or `code_already_used`,
 * which Slack's API returns although the method's page does not list it.
 */
function redeemCode({ platform, args }: OpenCall): AuthorizationCode {
  const code = platform.world.codes.get(args.text('code') ?? '');
  if (!code) throw new Refusal('invalid_code');
  if (code.isUsed) throw new Refusal('code_already_used');
  if (code.expiresAt <= platform.clock.now()) throw new Refusal('invalid_code');
  const redirectUri = args.text('redirect_uri') ?? null;
  if (redirectUri !== code.redirectUri) throw new Refusal('bad_redirect_uri');
  code.isUsed = true;
  return code;
}

function named(platform: Platform, { teamId, enterpriseId }: Place, isEnterpriseInstall: boolean) {
  const workspace = platform.world.workspaces.get(teamId ?? '');
  const enterprise = platform.world.enterprises.get(enterpriseId ?? '');
  return {
    team: workspace ? { id: workspace.id, name: workspace.name } : null,
    enterprise: enterprise ? { id: enterprise.id, name: enterprise.name } : null,
    is_enterprise_install: isEnterpriseInstall,
  };
}

function tokenFields(platform: Platform, token: Token): Answer {
  const { expiresAt, refreshToken } = token;
  return {
    scope: token.scopes.join(','),
    token_type: token.kind,
    access_token: token.value,
    ...(expiresAt ? { expires_in: Math.round((expiresAt - platform.clock.now()) / 1000) } : {}),
    ...(refreshToken ? { refresh_token: refreshToken } : {}),
  };
}

function exchangeCode(call: OpenCall): Answer {
  const { platform } = call;
  const code = redeemCode(call);
  const { installation, bot, user } = installFor(platform, code);
  const { teamId, enterpriseId, isEnterpriseInstall, botScopes } = installation;
  const botFields = bot ? { ...tokenFields(platform, bot), bot_user_id: installation.botUserId } : {};
  platform.activity.tell({ kind: 'installed', teamId, enterpriseId, userId: code.userId, botScopes });
  return {
    ok: true,
    app_id: platform.app.id,
    authed_user: { id: code.userId, ...(user ? tokenFields(platform, user) : {}) },
    ...botFields,
    ...named(platform, code.place, isEnterpriseInstall),
    ...(code.botScopes.includes('incoming-webhook')
      ? { incoming_webhook: addWebhook(platform, installation) }
      : {}),
  };
}

/** Adds an incoming webhook for the workspace's `#general`, since the sandbox's consent page has no channel picker. */
function addWebhook(platform: Platform, installation: Installation): Answer {
  const { world } = platform;
  const teamId = installation.teamId ?? installation.grantedTeamIds[0] ?? '';
  const channel = [...world.conversations.values()].find(
    (each) => each.kind === 'channel' && each.teamId === teamId,
  );
  if (!channel) return {};
  const key = `${teamId}/${installation.botId}/${secretHex(12)}`;
  world.webhooks.set(key, { key, installationId: installation.id, conversationId: channel.id });
  return {
    channel: `#${channel.name}`,
    channel_id: channel.id,
    configuration_url: `${platform.url()}/client/${teamId}/settings`,
    url: `${platform.url()}/services/${key}`,
  };
}

function refresh({ platform, args }: OpenCall): Answer {
  if (platform.app.isSuspended) throw new Refusal('account_inactive');
  const token = rotateToken(platform, args.required('refresh_token'));
  const installation = token && platform.world.installations.get(token.installationId);
  if (!token || !installation) throw new Refusal('invalid_refresh_token');
  return {
    ok: true,
    app_id: platform.app.id,
    ...tokenFields(platform, token),
    ...(token.kind === 'bot' ? { bot_user_id: token.userId } : {}),
    ...named(platform, installation, installation.isEnterpriseInstall),
  };
}

/** Exchanges a code or a refresh token. Source: docs.slack.dev/reference/methods/oauth.v2.access */
export const oauthV2Access = openMethod('special', (call) => {
  checkClient(call);
  const grantType = call.args.text('grant_type') ?? 'authorization_code';
  if (grantType === 'refresh_token') return refresh(call);
  if (grantType !== 'authorization_code') throw new Refusal('invalid_grant_type');
  return exchangeCode(call);
});

/** The place for which the call's code or refresh token was issued; undefined if the call has neither. */
export function placeOfGrant(platform: Platform, args: Record<string, unknown>): Place | undefined {
  const { world } = platform;
  const code = world.codes.get(String(args.code));
  if (code) return code.place;
  const token = [...world.tokens.values()].find(
    (each) => each.refreshToken && each.refreshToken === args.refresh_token,
  );
  const installation = token && world.installations.get(token.installationId);
  return installation && (installationAt(world, installation) ?? installation);
}
