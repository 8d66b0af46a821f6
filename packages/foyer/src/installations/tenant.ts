import type { Installation } from '@slack/oauth';
import { type TenantQuery, TenantUnclearError } from './installation-store.ts';

/**
 * Why a team's id alone finds its installation: a team keeps its id when it joins an enterprise, and events then name
 * an enterprise that the install did not know. Why an enterprise's installation needs the flag: in one enterprise an
 * org-wide install and installs of single teams live side by side.
 */

/** The tenant that a query means. @throws TenantUnclearError */
export function tenantOfQuery(query: TenantQuery): string {
  const { teamId, enterpriseId, isEnterpriseInstall } = query;
  if (isEnterpriseInstall) {
    if (enterpriseId) return `enterprise:${enterpriseId}`;
    throw new TenantUnclearError(
      `An org-wide installation was requested without its enterprise id${teamId ? ` (team ${teamId})` : ''}.`,
    );
  }
  if (teamId) return `team:${teamId}`;
  // Slack's own queries can look like this: an event of an org-wide install may lack its `authorizations`.
  if (enterpriseId) return `enterprise:${enterpriseId}`;
  throw new TenantUnclearError('An installation was requested with neither a team id nor an enterprise id.');
}

/** The tenant of an installation. @throws TenantUnclearError */
export function tenantOfInstallation(installation: Installation): string {
  const { team, enterprise, isEnterpriseInstall } = installation;
  if (isEnterpriseInstall && !enterprise?.id) {
    throw new TenantUnclearError('An org-wide installation came without its enterprise id.');
  }
  if (!isEnterpriseInstall && !team?.id) {
    throw new TenantUnclearError('An installation came with neither a team id nor is_enterprise_install.');
  }
  return tenantOfQuery({ teamId: team?.id, enterpriseId: enterprise?.id, isEnterpriseInstall });
}
