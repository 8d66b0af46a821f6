import type { Queries } from './database.ts';

/** The workspace that first let an org-wide install in and still does, or undefined when there is none (yet). */
export async function findGrantedTeam(
  queries: Queries,
  search: { clientId: string; enterpriseId: string },
): Promise<string | undefined> {
  const team = await queries
    .selectFrom('team_access')
    .select('team_id')
    .where('client_id', '=', search.clientId)
    .where('enterprise_id', '=', search.enterpriseId)
    .where('granted', '=', 1)
    .orderBy('changed_at')
    .orderBy('team_id')
    .limit(1)
    .executeTakeFirst();
  return team?.team_id;
}
