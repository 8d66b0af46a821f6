import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { readStatuses } from '../database/installations.ts';
import type { TenantQuery } from '../installations/installation-store.ts';
import { tenantOfQuery } from '../installations/tenant.ts';

/** More teams than this are counted no further: Slack signs what it sends, so a stranger cannot add one. */
const mostSeen = 10_000;

/**
 * Makes the watch for teams that Slack sends events for although the database never held them: an old backup was
 * restored, or DATABASE_URL leads to another database. Each is logged once, with its id. An event that comes after its
 * team's uninstall is no such case: the record of an uninstalled team is kept.
 */
export function createUnknownTeams(deps: {
  database: Database;
  clientId: string;
  /** The number of unknown teams has changed. Must not throw. */
  onChanged?(count: number): void;
  log: Logger;
}) {
  const { database, clientId, log } = deps;
  const seen = new Set<string>();
  let unknown = 0;

  async function isKnown({ enterpriseId }: TenantQuery, tenant: string): Promise<boolean> {
    // A workspace of a Grid org may be served by the org-wide install.
    const tenants = enterpriseId ? [tenant, `enterprise:${enterpriseId}`] : [tenant];
    return (await readStatuses(database.queries, { clientId, tenants })).size > 0;
  }

  /** Never rejects: whoever asked has its own answer, and this only counts. */
  return async function noteTeam(query: TenantQuery): Promise<void> {
    const { teamId, enterpriseId, isEnterpriseInstall } = query;
    if (isEnterpriseInstall ? !enterpriseId : !teamId && !enterpriseId) return;
    const tenant = tenantOfQuery(query);
    if (seen.has(tenant) || seen.size >= mostSeen) return;
    seen.add(tenant);
    try {
      if (await isKnown(query, tenant)) return;
    } catch (error) {
      seen.delete(tenant);
      return log.warn({ err: error, teamId }, 'could not look whether a team is known');
    }
    unknown += 1;
    log.error(
      { teamId: teamId ?? undefined, enterpriseId: enterpriseId ?? undefined },
      'Slack sends events for a team that the database never held: was an old backup restored?',
    );
    deps.onChanged?.(unknown);
  };
}
