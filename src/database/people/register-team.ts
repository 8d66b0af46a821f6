import type { Database } from '../database.ts';

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

/**
 * Gets or creates a team, and returns when the app first met it.
 * @throws DatabaseUnavailableError
 */
export async function registerTeam(
  database: Database,
  team: TeamRegistration,
): Promise<{ firstSeenAt: number }> {
  const row = await database.write((transaction) =>
    transaction
      .insertInto('teams')
      .values({
        client_id: team.clientId,
        team_id: team.teamId,
        name: team.name,
        domain: null,
        icon_url: null,
        enterprise_id: team.enterpriseId,
        first_seen_at: team.seenAt,
        updated_at: team.now,
      })
      .onConflict((conflict) =>
        conflict.columns(['client_id', 'team_id']).doUpdateSet((expression) => ({
          name: expression.fn.coalesce('excluded.name', 'teams.name'),
          enterprise_id: expression.ref('excluded.enterprise_id'),
          updated_at: team.now,
        })),
      )
      .returning('first_seen_at')
      .executeTakeFirstOrThrow(),
  );
  return { firstSeenAt: row.first_seen_at };
}
