import type { Delivery } from '../events/delivery.ts';
import { type EventPlace, emitEvent } from '../events/emit-event.ts';
import type { Platform } from '../platform.ts';
import { liveTokens } from '../world/find.ts';
import type { Installation, Token } from '../world/records.ts';

type Sent = Promise<(Delivery | null)[]>;

/**
 * The place of the events `app_uninstalled` and `tokens_revoked`. For an org-wide install, these events have no
 * `team_id`.
 */
function lifecyclePlace(installation: Installation): EventPlace {
  if (installation.isEnterpriseInstall) return { enterpriseId: installation.enterpriseId };
  return { teamId: installation.teamId, enterpriseId: installation.enterpriseId };
}

/** Ends an installation and its tokens. Sends app_uninstalled, and tokens_revoked if any token was still live. */
export function uninstall(platform: Platform, installation: Installation): Sent {
  const { world, clock, activity } = platform;
  const tokens = liveTokens(world, installation.id);
  for (const token of tokens) token.status = 'uninstalled';
  installation.uninstalledAt = clock.now();
  installation.grantedTeamIds = [];
  for (const key of world.homeViews.keys()) {
    if (key.startsWith(`${installation.id}:`)) world.homeViews.delete(key);
  }
  const { teamId, enterpriseId } = installation;
  activity.tell({ kind: 'uninstalled', teamId, enterpriseId });
  const gone = emitEvent(platform, { type: 'app_uninstalled' }, { place: lifecyclePlace(installation) });
  return Promise.all([gone, ...(tokens.length > 0 ? [tellRevoked(platform, installation, tokens)] : [])]);
}

/** Revokes some of an installation's tokens. If no live token remains, uninstalls the app, as Slack does. */
export async function revokeTokens(platform: Platform, installation: Installation, tokens: Token[]): Sent {
  for (const token of tokens) token.status = 'revoked';
  const told = tellRevoked(platform, installation, tokens);
  const rest =
    liveTokens(platform.world, installation.id).length === 0 ? uninstall(platform, installation) : [];
  return [await told, ...(await rest)];
}

function tellRevoked(
  platform: Platform,
  installation: Installation,
  tokens: Token[],
): Promise<Delivery | null> {
  const userIds = (kind: Token['kind']) => [
    ...new Set(tokens.filter((token) => token.kind === kind).map((token) => token.userId)),
  ];
  const { teamId, enterpriseId } = installation;
  const revoked = { oauth: userIds('user'), bot: userIds('bot') };
  platform.activity.tell({
    kind: 'tokens-revoked',
    teamId,
    enterpriseId,
    userIds: [...revoked.oauth, ...revoked.bot],
  });
  return emitEvent(
    platform,
    { type: 'tokens_revoked', tokens: revoked, event_ts: platform.nextTs() },
    { place: lifecyclePlace(installation) },
  );
}

/** Gives an org-wide app access to workspaces of its org. Sends the app an event that names the new workspaces. */
export function grantAccess(platform: Platform, installation: Installation, teamIds: readonly string[]) {
  const added = teamIds.filter((id) => !installation.grantedTeamIds.includes(id));
  installation.grantedTeamIds.push(...added);
  return tellAccess(platform, installation, 'team_access_granted', added);
}

/** Removes an org-wide app's access to workspaces. Sends the app an event that names them. */
export function revokeAccess(platform: Platform, installation: Installation, teamIds: readonly string[]) {
  const removed = installation.grantedTeamIds.filter((id) => teamIds.includes(id));
  installation.grantedTeamIds = installation.grantedTeamIds.filter((id) => !teamIds.includes(id));
  return tellAccess(platform, installation, 'team_access_revoked', removed);
}

async function tellAccess(
  platform: Platform,
  installation: Installation,
  type: 'team_access_granted' | 'team_access_revoked',
  teamIds: string[],
): Promise<Delivery | null> {
  if (teamIds.length === 0) return null;
  const enterpriseId = installation.enterpriseId ?? '';
  const kind = type === 'team_access_granted' ? 'access-granted' : 'access-revoked';
  platform.activity.tell({ kind, enterpriseId, teamIds });
  const place = { teamId: null, enterpriseId };
  return emitEvent(platform, { type, team_ids: teamIds, event_ts: platform.nextTs() }, { place });
}
