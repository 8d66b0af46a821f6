import type { Expression, NotNull } from 'kysely';
import type { SlackProfile } from '../../slack/slack-text.ts';
import type { Database, Queries, Tx } from '../database.ts';
import { type InstallRecord, registeredTeamId } from '../install-record.ts';
import type { Given } from '../prepared-query.ts';
import type { MembershipRow, UserRow } from '../records.ts';
import { storedBefore, type TeamEvent, type TeamProfile, updateTeam } from '../teams.ts';

/** Identifies a person within their team. For an org-wide install, the team is the enterprise. */
export interface PersonKey {
  clientId: string;
  teamId: string;
  userId: string;
}

/** The columns that identify a person's rows. */
export const personColumns = ({ clientId, teamId, userId }: PersonKey) => ({
  client_id: clientId,
  team_id: teamId,
  user_id: userId,
});

export function profileColumns({ name, realName, email, timezone, locale, avatarUrl }: SlackProfile) {
  return { name, real_name: realName, email, timezone, locale, avatar_url: avatarUrl };
}

/**
 * The columns for which Slack sent a value. An update must not erase the other columns, because a sign-in may have set
 * them.
 */
export function saidColumns(profile: SlackProfile): Partial<ReturnType<typeof profileColumns>> {
  return Object.fromEntries(Object.entries(profileColumns(profile)).filter(([, value]) => value !== null));
}

/**
 * Registers a person who is using the app now, and their membership. If the person is already registered, updates the
 * time when they were last seen. Returns the time when the app first met them.
 */
export async function recordUser(
  transaction: Tx,
  user: PersonKey & {
    /** When the person used the app; also stored as `first_seen_at` if they are new. */
    seenAt: number;
    now: number;
    /**
     * The time at which Slack reported the role of a new person; `now` by default. 0 means that Foyer has not asked
     * Slack yet. Foyer asks when it needs the role for the first time.
     */
    provenAt?: number;
  },
): Promise<{ firstSeenAt: number }> {
  const { seenAt, now, provenAt = now } = user;
  const key = personColumns(user);
  const times = { first_seen_at: seenAt, last_seen_at: seenAt, updated_at: provenAt };
  const { first_seen_at } = await transaction
    .insertInto('users')
    .values({ ...key, first_seen_at: seenAt, updated_at: now })
    .onConflict((conflict) =>
      conflict.columns(['client_id', 'team_id', 'user_id']).doUpdateSet({ updated_at: now }),
    )
    .returning('first_seen_at')
    .executeTakeFirstOrThrow();
  await transaction
    .insertInto('memberships')
    .values({ ...key, ...times, is_admin: 0, is_owner: 0 })
    .onConflict((conflict) =>
      conflict
        .columns(['client_id', 'team_id', 'user_id'])
        .doUpdateSet({ last_seen_at: seenAt })
        .where((eb) =>
          eb.or([eb('memberships.last_seen_at', 'is', null), eb('memberships.last_seen_at', '<', seenAt)]),
        ),
    )
    .execute();
  return { firstSeenAt: first_seen_at };
}

/** Reads a person's locale as Slack reported it; null if it reported none. */
export async function readLocale(queries: Queries, person: PersonKey): Promise<string | null> {
  const row = await queries
    .selectFrom('users')
    .select('locale')
    .where((eb) => eb.and(personColumns(person)))
    .executeTakeFirst();
  return row?.locale ?? null;
}

/** What Slack reported about a person. A value is null if its scope was not granted or Slack did not send it. */
export type UserProfile = SlackProfile & {
  isAdmin: boolean;
  isOwner: boolean;
  /** If omitted, the stored value stays. */
  isGuest?: boolean;
};

/** The person whose profile Slack reported, and the time of the report. */
type Reported = PersonKey & { now: number };

async function updateMembership(
  tx: Tx,
  reported: Reported,
  { isAdmin, isOwner, isGuest }: Pick<UserProfile, 'isAdmin' | 'isOwner' | 'isGuest'>,
): Promise<void> {
  await tx
    .updateTable('memberships')
    .set({
      is_admin: Number(isAdmin),
      is_owner: Number(isOwner),
      ...(isGuest !== undefined && { is_guest: Number(isGuest) }),
      updated_at: reported.now,
    })
    .where((eb) => eb.and(personColumns(reported)))
    .execute();
}

/** Saves what Slack reported about a registered person and their team. A null `user` or `team` changes nothing. */
export async function saveProfile(
  transaction: Tx,
  reported: Reported,
  { user, team }: { user: UserProfile | null; team: TeamProfile | null },
): Promise<void> {
  // Updates the team first, as the register steps do, because transactions that lock rows in different orders can
  // deadlock.
  if (team) await updateTeam(transaction, { ...reported, ...team });
  if (!user) return;
  await transaction
    .updateTable('users')
    .set({ ...saidColumns(user), updated_at: reported.now })
    .where((eb) => eb.and(personColumns(reported)))
    .execute();
  await updateMembership(transaction, reported, user);
}

/** A person of an installation's team: their role, and their profile if they are registered. */
export interface Member {
  /** Whether they are an admin or an owner of the team. */
  isAdmin: boolean;
  /** When Slack last reported their role; 0 for never. */
  provenAt: number;
  /** Undefined if `users` has no row for the person. */
  profile: UserRecord | undefined;
  /** Accurate to an hour; null if never seen. */
  lastSeenAt: number | null;
}

/** Selects the people of an installation's team, with what Foyer knows about each. */
export const selectPeople = (
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
    .select(['memberships.is_admin', 'memberships.is_owner', 'memberships.is_guest', 'memberships.team_id'])
    .select(['memberships.first_seen_at as member_since', 'memberships.updated_at'])
    .select(['memberships.last_seen_at', 'memberships.deactivated_at'])
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
    const profile = user_id === null ? undefined : toUserRecord({ ...row, user_id });
    return { isAdmin, provenAt, profile, lastSeenAt: row.last_seen_at };
  };
}

/** A registered person of an installation's team, with their profile, their role, and when the app saw them. */
export interface UserRecord extends UserProfile {
  userId: string;
  /** The team in which the person is registered. For an org-wide install, this is the enterprise. */
  teamId: string;
  isGuest: boolean;
  hasUserToken: boolean;
  firstSeenAt: number;
  /** When they last installed, signed in, opened Home or pressed a button, accurate to an hour; null if never seen. */
  lastSeenAt: number | null;
  /** When Slack reported that their account is deactivated; null while it is not. */
  deactivatedAt: number | null;
}

/** Makes a profile from a person's own row and their membership. */
export function toProfile(
  row: Pick<UserRow, 'name' | 'real_name' | 'email' | 'timezone' | 'locale' | 'avatar_url'> & {
    [Flag in 'is_admin' | 'is_owner' | 'is_guest']: number | null;
  },
) {
  return {
    name: row.name,
    realName: row.real_name,
    email: row.email,
    timezone: row.timezone,
    locale: row.locale,
    avatarUrl: row.avatar_url,
    isAdmin: row.is_admin === 1,
    isOwner: row.is_owner === 1,
    isGuest: row.is_guest === 1,
  };
}

/**
 * What Foyer reads about a person from three places: their own row, their membership and, if there is one, their user
 * token.
 */
type PersonRow = Parameters<typeof toProfile>[0] &
  Pick<MembershipRow, 'team_id' | 'user_id' | 'last_seen_at' | 'deactivated_at'> & {
    member_since: number;
    token_user_id: string | null;
  };

/** Makes a record from a person's rows. */
export function toUserRecord(row: PersonRow): UserRecord {
  return {
    userId: row.user_id,
    teamId: row.team_id,
    ...toProfile(row),
    hasUserToken: row.token_user_id !== null,
    firstSeenAt: row.member_since,
    lastSeenAt: row.last_seen_at,
    deactivatedAt: row.deactivated_at,
  };
}

/** Reads the registered people of an installation's team, in the order in which the app first met them. */
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

/** Whether Foyer stores a membership of this person in this team. */
export async function isKnownPerson(queries: Queries, person: PersonKey): Promise<boolean> {
  const row = await queries
    .selectFrom('memberships')
    .select('user_id')
    .where((eb) => eb.and(personColumns(person)))
    .executeTakeFirst();
  return row !== undefined;
}

/** A registered person, as an event describes them. A null or undefined value changes nothing. */
type PersonChange = TeamEvent &
  SlackProfile &
  Partial<Pick<UserProfile, 'isAdmin' | 'isOwner' | 'isGuest'>> & {
    userId: string;
    /** Whether their account is deactivated. */
    isDeactivated?: boolean;
    now: number;
  };

/**
 * Updates what Foyer stores about a person of a team. Returns false, and changes nothing, if the person is not
 * registered or the stored data is newer than the event.
 */
export async function updatePerson(tx: Tx, change: PersonChange): Promise<boolean> {
  const { at, isAdmin, isOwner } = change;
  const key = personColumns(change);
  const user = await tx
    .updateTable('users')
    .set({ ...saidColumns(change), updated_at: at })
    .where((eb) => eb.and(key))
    .where('updated_at', '<', storedBefore(at))
    .returning('user_id')
    .executeTakeFirst();
  if (!user) return false;
  const { isGuest, isDeactivated } = change;
  if (isAdmin !== undefined && isOwner !== undefined) {
    await updateMembership(tx, change, { isAdmin, isOwner, isGuest });
  }
  if (isDeactivated !== undefined) {
    await tx
      .updateTable('memberships')
      .set({ deactivated_at: isDeactivated ? at : null })
      .where((eb) => eb.and(key))
      .execute();
  }
  return true;
}

/**
 * Reads the names of people of a team. Each name is the person's real name, else Slack's `name`, else the user id.
 * Omits people without a row.
 */
export async function readNames(
  queries: Queries,
  { clientId, teamId, userIds }: { clientId: string; teamId: string; userIds: readonly string[] },
): Promise<Map<string, string>> {
  if (userIds.length === 0) return new Map();
  const rows = await queries
    .selectFrom('users')
    .select(['user_id', 'real_name', 'name'])
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .where('user_id', 'in', [...userIds])
    .execute();
  return new Map(rows.map((row) => [row.user_id, row.real_name ?? row.name ?? row.user_id]));
}
