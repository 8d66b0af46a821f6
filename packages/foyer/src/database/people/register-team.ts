import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';

/** A team as an install tells of it; for an org-wide install, its enterprise. */
export interface TeamRegistration {
  clientId: string;
  teamId: string;
  name: string | null;
  enterpriseId: string | null;
  /** When the app first met it, if it is new. */
  seenAt: number;
  now: number;
}

const upsertTeam = prepareQuery((queries, given: Given<TeamRegistration>) =>
  queries
    .insertInto('teams')
    .values({
      client_id: given.clientId,
      team_id: given.teamId,
      name: given.name,
      domain: null,
      icon_url: null,
      enterprise_id: given.enterpriseId,
      first_seen_at: given.seenAt,
      updated_at: given.now,
    })
    .onConflict((conflict) =>
      conflict.columns(['client_id', 'team_id']).doUpdateSet((expression) => ({
        name: expression.fn.coalesce('excluded.name', 'teams.name'),
        enterprise_id: expression.ref('excluded.enterprise_id'),
        updated_at: expression.ref('excluded.updated_at'),
      })),
    )
    .returning('first_seen_at'),
);

/** Gets or creates a team, and returns when the app first met it. */
export async function registerTeam(
  transaction: Queries,
  team: TeamRegistration,
): Promise<{ firstSeenAt: number }> {
  const { rows } = await upsertTeam(transaction, team);
  return { firstSeenAt: rows[0]?.first_seen_at ?? team.seenAt };
}
