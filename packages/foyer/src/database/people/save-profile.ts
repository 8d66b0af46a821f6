import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';

/** What Slack told of a person. An absent value was not granted or not given. */
export type UserProfile = {
  /** Their name in Slack's own sense, such as `grace`. */
  name: string | null;
  realName: string | null;
  email: string | null;
  timezone: string | null;
  locale: string | null;
  avatarUrl: string | null;
  isAdmin: boolean;
  isOwner: boolean;
};

/** What Slack told of a team. */
export type TeamProfile = {
  name: string | null;
  domain: string | null;
  iconUrl: string | null;
};

/** Whose profile it is, and when it was told. */
interface Told {
  clientId: string;
  teamId: string;
  userId: string;
  now: number;
}

const updateUser = prepareQuery((queries, given: Given<Told & Omit<UserProfile, 'isAdmin' | 'isOwner'>>) =>
  queries
    .updateTable('users')
    .set({
      name: given.name,
      real_name: given.realName,
      email: given.email,
      timezone: given.timezone,
      locale: given.locale,
      avatar_url: given.avatarUrl,
      updated_at: given.now,
    })
    .where('client_id', '=', given.clientId)
    .where('user_id', '=', given.userId),
);

const updateMembership = prepareQuery((queries, given: Given<Told & { isAdmin: number; isOwner: number }>) =>
  queries
    .updateTable('memberships')
    .set({ is_admin: given.isAdmin, is_owner: given.isOwner, updated_at: given.now })
    .where('client_id', '=', given.clientId)
    .where('team_id', '=', given.teamId)
    .where('user_id', '=', given.userId),
);

const updateTeam = prepareQuery((queries, given: Given<Told & TeamProfile>) =>
  queries
    .updateTable('teams')
    .set({ name: given.name, domain: given.domain, icon_url: given.iconUrl, updated_at: given.now })
    .where('client_id', '=', given.clientId)
    .where('team_id', '=', given.teamId),
);

/** Saves what Slack told of a registered person and their team; what is null here was not told, and stays as it was. */
export async function saveProfile(
  transaction: Queries,
  told: Told,
  { user, team }: { user: UserProfile | null; team: TeamProfile | null },
): Promise<void> {
  // The team first, as those who register do: two that lock in different orders wait for each other.
  if (team) await updateTeam(transaction, { ...told, ...team });
  if (!user) return;
  const { isAdmin, isOwner, ...person } = user;
  await updateUser(transaction, { ...told, ...person });
  await updateMembership(transaction, {
    ...told,
    isAdmin: isAdmin ? 1 : 0,
    isOwner: isOwner ? 1 : 0,
  });
}
