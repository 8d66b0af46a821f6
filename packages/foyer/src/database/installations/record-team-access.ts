import type { Queries } from '../database.ts';

/** Whether an org-wide install may act in a workspace, as an event of `changedAt` told. */
export interface TeamAccessChange {
  clientId: string;
  enterpriseId: string;
  teamId: string;
  granted: boolean;
  changedAt: number;
}

/**
 * Records it unless something newer is known; returns whether the workspace's access is another one now. Within one
 * second (Slack's events have no finer time) the later delivery wins.
 */
export async function recordTeamAccess(transaction: Queries, change: TeamAccessChange): Promise<boolean> {
  const known = await transaction
    .selectFrom('team_access')
    .select(['granted', 'changed_at'])
    .where('client_id', '=', change.clientId)
    .where('enterprise_id', '=', change.enterpriseId)
    .where('team_id', '=', change.teamId)
    .forUpdate()
    .executeTakeFirst();
  if (known && known.changed_at > change.changedAt) return false;
  const granted = change.granted ? 1 : 0;
  const state = { granted, changed_at: change.changedAt };
  await transaction
    .insertInto('team_access')
    .values({
      client_id: change.clientId,
      enterprise_id: change.enterpriseId,
      team_id: change.teamId,
      ...state,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['client_id', 'enterprise_id', 'team_id'])
        .doUpdateSet(state)
        .where('team_access.changed_at', '<=', change.changedAt),
    )
    .execute();
  return known?.granted !== granted;
}
