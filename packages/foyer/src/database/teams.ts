import type { Tx } from './database.ts';

/** A team as an install reports it. For an org-wide install, the enterprise is registered as a team. */
interface TeamRegistration {
  clientId: string;
  teamId: string;
  name: string | null;
  enterpriseId: string | null;
  /** When the app first met the team. Foyer stores this time only if the team is new. */
  seenAt: number;
  now: number;
}

/** Inserts a team, or updates its name and enterprise. Returns the time at which the app first saw the team. */
export async function recordTeam(transaction: Tx, team: TeamRegistration): Promise<{ firstSeenAt: number }> {
  const { first_seen_at } = await transaction
    .insertInto('teams')
    .values({
      client_id: team.clientId,
      team_id: team.teamId,
      name: team.name,
      enterprise_id: team.enterpriseId,
      first_seen_at: team.seenAt,
      updated_at: team.now,
    })
    .onConflict((conflict) =>
      conflict.columns(['client_id', 'team_id']).doUpdateSet((expression) => ({
        name: expression.fn.coalesce('excluded.name', 'teams.name'),
        enterprise_id: expression.ref('excluded.enterprise_id'),
        updated_at: expression.ref('excluded.updated_at'),
      })),
    )
    .returning('first_seen_at')
    .executeTakeFirstOrThrow();
  return { firstSeenAt: first_seen_at };
}

/** What Slack reported about a team. */
export type TeamProfile = {
  name: string | null;
  domain: string | null;
  iconUrl: string | null;
};

/** Saves what Slack reported about a team. */
export async function updateTeam(
  transaction: Tx,
  team: { clientId: string; teamId: string; now: number } & TeamProfile,
): Promise<void> {
  await transaction
    .updateTable('teams')
    .set({ name: team.name, domain: team.domain, icon_url: team.iconUrl, updated_at: team.now })
    .where('client_id', '=', team.clientId)
    .where('team_id', '=', team.teamId)
    .execute();
}

/** A team, and the time of an event about the team. `at` is a whole second of Slack's clock, in milliseconds. */
export interface TeamEvent {
  clientId: string;
  teamId: string;
  at: number;
}

/**
 * Returns the latest time at which an event can have happened. Slack rounds the event's time `at` down to a whole
 * second, so this is a second later. Data that was stored before the returned time counts as older than the event.
 */
export const storedBefore = (at: number): number => at + 1000;

/**
 * Updates a team's name and domain, and the name in its installation; null leaves a value unchanged. If the event is
 * older than the stored data, or the team is unknown, changes nothing and returns false.
 */
export async function renameTeam(
  tx: Tx,
  { clientId, teamId, at, name, domain }: TeamEvent & { name: string | null; domain: string | null },
): Promise<boolean> {
  const team = await tx
    .updateTable('teams')
    .set({ ...(name !== null && { name }), ...(domain !== null && { domain }), updated_at: at })
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .where('updated_at', '<', storedBefore(at))
    .returning('team_id')
    .executeTakeFirst();
  if (!team) return false;
  if (name !== null) {
    await tx
      .updateTable('installations')
      .set({ team_name: name })
      .where('client_id', '=', clientId)
      .where('tenant', '=', `team:${teamId}`)
      .execute();
  }
  return true;
}

/** Records that a team now belongs to an enterprise; returns true if this changed the team's installation. */
export async function moveTeam(
  tx: Tx,
  { clientId, teamId, enterpriseId }: TeamEvent & { enterpriseId: string },
): Promise<boolean> {
  const enterprise_id = enterpriseId;
  await tx
    .updateTable('teams')
    .set({ enterprise_id })
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .execute();
  const { numUpdatedRows } = await tx
    .updateTable('installations')
    // The event does not contain the enterprise's name; the next install stores it.
    .set({ enterprise_id, enterprise_name: null })
    .where('client_id', '=', clientId)
    .where('tenant', '=', `team:${teamId}`)
    .where((eb) => eb.or([eb('enterprise_id', 'is', null), eb('enterprise_id', '<>', enterpriseId)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
