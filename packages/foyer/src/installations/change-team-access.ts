import type { Tx } from '../database/database.ts';
import { appendHistory } from '../database/history.ts';
import { lockInstallation, recordTeamAccess } from '../database/installations.ts';
import { resumeWaitingRuns } from '../database/runs.ts';
import { type TenantQuery, TenantUnclearError } from './installation-store.ts';

/** A `team_access_granted` or `team_access_revoked` event. `changedAt` is its `event_time` in milliseconds. */
export interface TeamAccessEvent {
  clientId: string;
  query: TenantQuery;
  change: { teamIds: readonly string[]; granted: boolean; changedAt: number };
  now: number;
}

/**
 * Records the workspaces in which an org-wide install may act, adds history if the install is known, and makes due the
 * runs that waited for a grant. Returns whether anything changed.
 * @throws TenantUnclearError if the event names no enterprise
 */
export async function changeTeamAccess(transaction: Tx, event: TeamAccessEvent): Promise<boolean> {
  const { clientId, query, change, now } = event;
  const enterpriseId = query.enterpriseId;
  if (!enterpriseId) throw new TenantUnclearError('A change of team access came without its enterprise id.');
  const installation = await lockInstallation(transaction, {
    clientId,
    tenant: `enterprise:${enterpriseId}`,
  });
  const { granted, changedAt } = change;
  const changed: string[] = [];
  for (const teamId of change.teamIds) {
    const access = { clientId, enterpriseId, teamId, granted, changedAt };
    if (await recordTeamAccess(transaction, access)) changed.push(teamId);
  }
  if (!installation || installation.status === 'uninstalled') return changed.length > 0;
  const installationId = installation.id;
  for (const teamId of changed) {
    const kind = granted ? ('access_granted' as const) : ('access_revoked' as const);
    await appendHistory(transaction, { installationId, at: now, kind, userId: null, detail: teamId });
  }
  if (granted && changed.length > 0) {
    await resumeWaitingRuns(transaction, { installationId, event: 'team_access_granted', now });
  }
  return changed.length > 0;
}
