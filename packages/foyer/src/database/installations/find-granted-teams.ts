import type { Queries } from '../database.ts';

/** The workspaces that let an org-wide install in, the one that did it first at the front. */
export async function findGrantedTeams(
  queries: Queries,
  search: { clientId: string; enterpriseId: string },
): Promise<string[]> {
  const teams = await queries
    .selectFrom('team_access')
    .select('team_id')
    .where('client_id', '=', search.clientId)
    .where('enterprise_id', '=', search.enterpriseId)
    .where('granted', '=', 1)
    .orderBy('changed_at')
    .orderBy('team_id')
    .execute();
  return teams.map((team) => team.team_id);
}
