import type { Platform } from '../platform.ts';
import type { Workspace } from '../world/records.ts';
import { tokenMethod } from './method.ts';
import { reachableWorkspaces } from './reach.ts';
import { Refusal } from './refusal.ts';

const iconSizes = [34, 44, 68, 88, 102, 132, 230];

/** A workspace's icon in Slack's sizes. */
export function teamIcon(platform: Platform, { id }: Pick<Workspace, 'id'>) {
  const address = `${platform.url()}/avatars/${id}.svg`;
  return { ...Object.fromEntries(iconSizes.map((size) => [`image_${size}`, address])), image_default: false };
}

/**
 * Describes the workspace with the id `team` or with this `domain`, if the token may act there. An org-wide token may
 * send `team_id` instead of `team`. Without these arguments, describes the token's own workspace or org.
 */
export const teamInfo = tokenMethod('tier3', ['team:read'], (call) => {
  const { platform, args, installation } = call;
  const { world } = platform;
  const enterprise = world.enterprises.get(installation.enterpriseId ?? '');
  const asked = args.text('team') ?? (installation.isEnterpriseInstall ? args.text('team_id') : undefined);
  const domain = args.text('domain');
  const reachable = reachableWorkspaces(call);
  if (!asked && !domain && installation.isEnterpriseInstall && enterprise) {
    const { id, name } = enterprise;
    const team = {
      id,
      name,
      domain: enterprise.domain,
      email_domain: '',
      icon: teamIcon(platform, enterprise),
    };
    return { ok: true, team: { ...team, enterprise_id: id, enterprise_name: name } };
  }
  const workspace = reachable.find((each) =>
    domain ? each.domain === domain : each.id === (asked ?? reachable[0]?.id),
  );
  if (!workspace) {
    const isInOrg = enterprise && world.workspaces.get(asked ?? '')?.enterpriseId === enterprise.id;
    throw new Refusal(
      isInOrg && installation.isEnterpriseInstall ? 'team_access_not_granted' : 'team_not_found',
    );
  }
  return { ok: true, team: teamJson(platform, workspace) };
});

function teamJson(platform: Platform, workspace: Workspace) {
  const enterprise = platform.world.enterprises.get(workspace.enterpriseId ?? '');
  return {
    id: workspace.id,
    name: workspace.name,
    url: `https://${workspace.domain}.slack.com/`,
    domain: workspace.domain,
    email_domain: '',
    icon: teamIcon(platform, workspace),
    avatar_base_url: `${platform.url()}/avatars/`,
    is_verified: false,
    locale: workspace.locale,
    ...(enterprise
      ? {
          enterprise_id: enterprise.id,
          enterprise_name: enterprise.name,
          enterprise_domain: enterprise.domain,
        }
      : {}),
  };
}
