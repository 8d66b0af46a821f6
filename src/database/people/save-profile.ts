import type { Database } from '../database.ts';

/** What Slack told of a person. An absent value was not granted or not given. */
export interface UserProfile {
  name: string | null;
  realName: string | null;
  email: string | null;
  timezone: string | null;
  locale: string | null;
  avatarUrl: string | null;
  isAdmin: boolean;
  isOwner: boolean;
}

/** What Slack told of a team. */
export interface TeamProfile {
  name: string | null;
  domain: string | null;
  iconUrl: string | null;
}

/**
 * Saves what Slack told of a registered person and their team, in one transaction; what is undefined here was not
 * told, and stays as it was.
 * @throws DatabaseUnavailableError
 */
export async function saveProfile(
  database: Database,
  ids: { clientId: string; teamId: string; userId: string },
  profile: { user: UserProfile | undefined; team: TeamProfile | undefined },
  now: number,
): Promise<void> {
  const { user, team } = profile;
  await database.write(async (transaction) => {
    if (user) {
      await transaction
        .updateTable('users')
        .set({
          name: user.name,
          real_name: user.realName,
          email: user.email,
          timezone: user.timezone,
          locale: user.locale,
          avatar_url: user.avatarUrl,
          updated_at: now,
        })
        .where('client_id', '=', ids.clientId)
        .where('user_id', '=', ids.userId)
        .execute();
      await transaction
        .updateTable('memberships')
        .set({ is_admin: user.isAdmin ? 1 : 0, is_owner: user.isOwner ? 1 : 0, updated_at: now })
        .where('client_id', '=', ids.clientId)
        .where('team_id', '=', ids.teamId)
        .where('user_id', '=', ids.userId)
        .execute();
    }
    if (team) {
      await transaction
        .updateTable('teams')
        .set({ name: team.name, domain: team.domain, icon_url: team.iconUrl, updated_at: now })
        .where('client_id', '=', ids.clientId)
        .where('team_id', '=', ids.teamId)
        .execute();
    }
  });
}
