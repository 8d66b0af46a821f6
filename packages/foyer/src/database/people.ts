import type { Expression, NotNull } from 'kysely';
import type { Database, Queries, Tx } from './database.ts';
import { type InstallRecord, registeredTeamId } from './install-record.ts';
import { type Given, prepareQuery } from './prepared-query.ts';
import type { MembershipRow, UserRow } from './records.ts';
import { storedBefore, type TeamEvent, type TeamProfile, updateTeam } from './teams.ts';

/** A person in a team. */
export interface UserRegistration {
  clientId: string;
  teamId: string;
  userId: string;
  /** When the app first met them, if they are new. */
  seenAt: number;
  now: number;
}

const upsertUser = prepareQuery((queries, given: Given<UserRegistration>) =>
  queries
    .insertInto('users')
    .values({
      client_id: given.clientId,
      team_id: given.teamId,
      user_id: given.userId,
      name: null,
      real_name: null,
      email: null,
      timezone: null,
      locale: null,
      avatar_url: null,
      first_seen_at: given.seenAt,
      updated_at: given.now,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['client_id', 'team_id', 'user_id'])
        .doUpdateSet((expression) => ({ updated_at: expression.ref('excluded.updated_at') })),
    )
    .returning('first_seen_at'),
);

const insertMembership = prepareQuery((queries, given: Given<UserRegistration>) =>
  queries
    .insertInto('memberships')
    .values({
      client_id: given.clientId,
      team_id: given.teamId,
      user_id: given.userId,
      is_admin: 0,
      is_owner: 0,
      first_seen_at: given.seenAt,
      updated_at: given.now,
    })
    .onConflict((conflict) => conflict.columns(['client_id', 'team_id', 'user_id']).doNothing()),
);

/** Gets or creates a person of a team and their membership; returns when the app first met them in that team. */
export async function recordUser(transaction: Tx, user: UserRegistration): Promise<{ firstSeenAt: number }> {
  const { rows } = await upsertUser(transaction, user);
  await insertMembership(transaction, user);
  return { firstSeenAt: rows[0]?.first_seen_at ?? user.seenAt };
}

/** Reads a person's locale as Slack reported it; null if it has not. */
export async function readLocale(
  queries: Queries,
  person: { clientId: string; teamId: string; userId: string },
): Promise<string | null> {
  const row = await queries
    .selectFrom('users')
    .select('locale')
    .where('client_id', '=', person.clientId)
    .where('team_id', '=', person.teamId)
    .where('user_id', '=', person.userId)
    .executeTakeFirst();
  return row?.locale ?? null;
}

/** What Slack reported about a person. A null value was not granted or not sent. */
export type UserProfile = {
  /** Slack's `name` for them, such as `grace`. */
  name: string | null;
  realName: string | null;
  email: string | null;
  timezone: string | null;
  locale: string | null;
  avatarUrl: string | null;
  isAdmin: boolean;
  isOwner: boolean;
};

/** Whose profile it is, and when Slack reported it. */
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
    .where('team_id', '=', given.teamId)
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

/** Saves what Slack reported about a registered person and their team. A null `user` or `team` changes nothing. */
export async function saveProfile(
  transaction: Tx,
  told: Told,
  { user, team }: { user: UserProfile | null; team: TeamProfile | null },
): Promise<void> {
  // The team first, as in the register steps: transactions that lock in different orders would deadlock.
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

/** Saves the profile of a person; does nothing if they are not registered in that team. */
export async function updateProfile(
  transaction: Queries,
  told: Told,
  profile: Omit<UserProfile, 'isAdmin' | 'isOwner'>,
): Promise<void> {
  await updateUser(transaction, { ...told, ...profile });
}

/** A person of an installation's team. */
export interface Member {
  /** Whether they are an admin or an owner of it. */
  isAdmin: boolean;
  /** When Slack last reported whether they are. */
  provenAt: number;
  /** Undefined if Slack was only asked about their role, and they are not registered. */
  profile: UserRecord | undefined;
}

/** Selects the people of an installation's team, with what is known about each. */
const selectPeople = (
  queries: Queries,
  team: { [Name in 'clientId' | 'teamId' | 'installationId']: string | Expression<string> },
) =>
  queries
    .selectFrom('memberships')
    .leftJoin('users', (join) =>
      join
        .onRef('users.user_id', '=', 'memberships.user_id')
        .onRef('users.team_id', '=', 'memberships.team_id')
        .onRef('users.client_id', '=', 'memberships.client_id'),
    )
    .leftJoin('user_tokens', (join) =>
      join
        .onRef('user_tokens.user_id', '=', 'memberships.user_id')
        .on('user_tokens.installation_id', '=', team.installationId),
    )
    .select(['memberships.is_admin', 'memberships.is_owner', 'memberships.team_id'])
    .select(['memberships.first_seen_at as member_since', 'memberships.updated_at'])
    .select(['users.user_id', 'users.name', 'users.real_name', 'users.email'])
    .select(['users.timezone', 'users.locale', 'users.avatar_url'])
    .select('user_tokens.user_id as token_user_id')
    .where('memberships.client_id', '=', team.clientId)
    .where('memberships.team_id', '=', team.teamId);

/** Prepares the query that reads one person of an installation's team. It sees only what is committed. */
export function prepareMember(
  database: Pick<Database, 'prepare'>,
): (record: InstallRecord, userId: string) => Promise<Member | undefined> {
  const read = database.prepare(
    (queries, given: Given<{ clientId: string; teamId: string; installationId: string; userId: string }>) =>
      selectPeople(queries, given).where('memberships.user_id', '=', given.userId),
  );
  return async (record, userId) => {
    const { id: installationId, clientId } = record;
    const row = await read({ clientId, teamId: registeredTeamId(record), installationId, userId });
    if (!row) return undefined;
    const { user_id, updated_at: provenAt } = row;
    const isAdmin = row.is_admin === 1 || row.is_owner === 1;
    return { isAdmin, provenAt, profile: user_id === null ? undefined : toUserRecord({ ...row, user_id }) };
  };
}

/** A person of the installation's team, as stored. */
export interface UserRecord extends UserProfile {
  userId: string;
  /** The team that they are registered in; the enterprise, for an org-wide install. */
  teamId: string;
  hasUserToken: boolean;
  firstSeenAt: number;
}

/** What is read about a person: from their own row, their membership, and their user token if there is one. */
type PersonRow = Pick<
  UserRow,
  'team_id' | 'user_id' | 'name' | 'real_name' | 'email' | 'timezone' | 'locale' | 'avatar_url'
> &
  Pick<MembershipRow, 'is_admin' | 'is_owner'> & { member_since: number; token_user_id: string | null };

/** A person's rows as a record. */
export function toUserRecord(row: PersonRow): UserRecord {
  return {
    userId: row.user_id,
    teamId: row.team_id,
    name: row.name,
    realName: row.real_name,
    email: row.email,
    timezone: row.timezone,
    locale: row.locale,
    avatarUrl: row.avatar_url,
    isAdmin: row.is_admin === 1,
    isOwner: row.is_owner === 1,
    hasUserToken: row.token_user_id !== null,
    firstSeenAt: row.member_since,
  };
}

/** Reads the people of an installation's team, in the order in which the app first met them. */
export async function readUsers(queries: Queries, record: InstallRecord): Promise<UserRecord[]> {
  const { id: installationId, clientId } = record;
  const rows = await selectPeople(queries, { clientId, teamId: registeredTeamId(record), installationId })
    .where('users.user_id', 'is not', null)
    .$narrowType<{ user_id: NotNull }>()
    .orderBy('memberships.first_seen_at')
    .orderBy('users.user_id')
    .execute();
  return rows.map(toUserRecord);
}

/** Whether a person is registered in a team. */
export async function isKnownPerson(
  queries: Queries,
  { clientId, teamId, userId }: { clientId: string; teamId: string; userId: string },
): Promise<boolean> {
  const row = await queries
    .selectFrom('memberships')
    .select('user_id')
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined;
}

/** A registered person, as an event describes them. A null or undefined value changes nothing. */
export type PersonChange = TeamEvent &
  Omit<UserProfile, 'isAdmin' | 'isOwner'> & {
    userId: string;
    isAdmin?: boolean;
    isOwner?: boolean;
    now: number;
  };

/** Updates one team's record of a person; returns whether anything changed. An event older than it changes nothing. */
export async function updatePerson(tx: Tx, change: PersonChange): Promise<boolean> {
  const { clientId, teamId, userId, at, isAdmin, isOwner } = change;
  const given = {
    name: change.name,
    real_name: change.realName,
    email: change.email,
    timezone: change.timezone,
    locale: change.locale,
    avatar_url: change.avatarUrl,
  };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  const user = await tx
    .updateTable('users')
    .set({ ...said, updated_at: at })
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .where('user_id', '=', userId)
    .where('updated_at', '<', storedBefore(at))
    .returning('user_id')
    .executeTakeFirst();
  if (!user) return false;
  if (isAdmin !== undefined && isOwner !== undefined) {
    const standing = { clientId, teamId, userId, now: change.now };
    await updateMembership(tx, { ...standing, isAdmin: isAdmin ? 1 : 0, isOwner: isOwner ? 1 : 0 });
  }
  return true;
}
