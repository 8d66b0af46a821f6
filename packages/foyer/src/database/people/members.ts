import type { SlackProfile } from '../../slack/slack-text.ts';
import type { Queries, Tx } from '../database.ts';
import { type InstallRecord, registeredTeamId } from '../install-record.ts';
import type { ExternalMemberRow } from '../records.ts';
import { personColumns, profileColumns, saidColumns, toUserRecord, type UserRecord } from './people.ts';

/** external: a person of another workspace, seen in a Slack Connect channel. */
export type MemberRole = 'owner' | 'admin' | 'member' | 'guest' | 'external';

/** A member of an installation's team, or an external person. */
export interface MemberRecord extends UserRecord {
  role: MemberRole;
}

/** The installation for which Foyer records a person. */
export type Host = Pick<InstallRecord, 'id' | 'clientId' | 'teamId' | 'teamName' | 'enterpriseId'> &
  Pick<InstallRecord, 'enterpriseName' | 'isEnterpriseInstall'>;

/** A person's role in a team, as Slack reports it. */
export interface Standing {
  isAdmin: boolean;
  isOwner: boolean;
  isGuest: boolean;
  isDeactivated: boolean;
}

/** An occasion on which a person used the app in an installation, or on which Foyer asked Slack about them. */
export interface Visit {
  host: Host;
  userId: string;
  now: number;
  /** Whether the person just used the app; false if Foyer only looked them up. */
  seen: boolean;
}

/**
 * Creates the person, their team and their membership if they are missing. If Foyer asked Slack about the person, also
 * saves what Slack `reported`. Returns whether the person is new. If the installation has been uninstalled or erased in
 * the meantime, stores nothing and returns undefined.
 */
export async function recordVisit(
  tx: Tx,
  {
    host,
    userId,
    now,
    seen,
    reported,
  }: Visit & { reported: (Standing & { profile: SlackProfile }) | undefined },
): Promise<{ created: boolean } | undefined> {
  if (!(await isInstalled(tx, host.id))) return undefined;
  const teamId = registeredTeamId(host);
  const { clientId, enterpriseId } = host;
  const key = personColumns({ clientId, teamId, userId });
  const times = { first_seen_at: now, updated_at: now };
  // Writes the tables in the same order as the register steps, because transactions that lock rows in different orders
  // can deadlock.
  await tx
    .insertInto('teams')
    .values({
      client_id: clientId,
      team_id: teamId,
      ...times,
      name: host.isEnterpriseInstall ? host.enterpriseName : host.teamName,
      enterprise_id: enterpriseId,
    })
    .onConflict((conflict) => conflict.columns(['client_id', 'team_id']).doNothing())
    .execute();
  const said = reported && saidColumns(reported.profile);
  const user = await tx
    .insertInto('users')
    .values({ ...key, ...times, ...said })
    .onConflict((conflict) => {
      const known = conflict.columns(['client_id', 'team_id', 'user_id']);
      return said ? known.doUpdateSet({ ...said, updated_at: now }) : known.doNothing();
    })
    .returning('first_seen_at')
    .executeTakeFirst();
  const standing = reported && {
    is_admin: Number(reported.isAdmin),
    is_owner: Number(reported.isOwner),
    is_guest: Number(reported.isGuest),
    updated_at: now,
  };
  const change = {
    ...standing,
    ...(seen && { last_seen_at: now }),
    ...(reported && { deactivated_at: reported.isDeactivated ? now : null }),
  };
  const membership = await tx
    .insertInto('memberships')
    // The role is not confirmed until Foyer asks Slack, so `updated_at` is 0, which is older than any answer.
    .values({
      ...key,
      is_admin: 0,
      is_owner: 0,
      first_seen_at: now,
      updated_at: 0,
      last_seen_at: now,
      ...change,
    })
    .onConflict((conflict) =>
      conflict.columns(['client_id', 'team_id', 'user_id']).doUpdateSet({ user_id: userId, ...change }),
    )
    .returning('first_seen_at')
    .executeTakeFirst();
  return { created: user !== undefined && membership?.first_seen_at === now };
}

/**
 * Creates a person of another workspace if they are missing. If Foyer asked Slack about the person, also saves what
 * Slack reported. Does nothing if the installation has been uninstalled or erased in the meantime.
 */
export async function recordExternalVisit(
  tx: Tx,
  visit: Visit & {
    homeTeamId: string;
    /** Whether Foyer asked Slack about the person. True even if Slack reported nothing. */
    wasAsked: boolean;
    reported: SlackProfile | undefined;
  },
): Promise<void> {
  const { host, userId, homeTeamId, now, seen, wasAsked, reported } = visit;
  if (!(await isInstalled(tx, host.id))) return;
  const said = { ...(reported && profileColumns(reported)), ...(wasAsked && { updated_at: now }) };
  await tx
    .insertInto('external_members')
    .values({
      client_id: host.clientId,
      team_id: registeredTeamId(host),
      home_team_id: homeTeamId,
      user_id: userId,
      first_seen_at: now,
      last_seen_at: now,
      updated_at: 0,
      ...said,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['client_id', 'team_id', 'user_id', 'home_team_id'])
        .doUpdateSet({ home_team_id: homeTeamId, ...said, ...(seen && { last_seen_at: now }) }),
    )
    .execute();
}

/**
 * Whether the installation exists and is not uninstalled. If not, Foyer must not store any of its members. Locks the
 * installation's row.
 */
async function isInstalled(tx: Tx, installationId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('installations')
    .select('id')
    .where('id', '=', installationId)
    .where('status', '!=', 'uninstalled')
    .forShare()
    .executeTakeFirst();
  return row !== undefined;
}

/** Reads a person of another workspace. Without `homeTeamId`, reads the most recently seen person with this user id. */
export async function findExternalMember(
  queries: Queries,
  { host, userId, homeTeamId }: { host: Host; userId: string; homeTeamId: string | undefined },
): Promise<{ record: MemberRecord; provenAt: number } | undefined> {
  const person = { clientId: host.clientId, teamId: registeredTeamId(host), userId };
  const row = await queries
    .selectFrom('external_members')
    .selectAll()
    .where((eb) => eb.and({ ...personColumns(person), home_team_id: homeTeamId }))
    .orderBy('last_seen_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { record: toExternal(row), provenAt: row.updated_at };
}

/** Makes a record from a row of `external_members`. */
export function toExternal(row: ExternalMemberRow): MemberRecord {
  const record = toUserRecord({
    ...row,
    team_id: row.home_team_id,
    is_admin: 0,
    is_owner: 0,
    is_guest: 0,
    member_since: row.first_seen_at,
    deactivated_at: null,
    token_user_id: null,
  });
  return { ...record, role: 'external' };
}

/** Adds the role to a person's record. The person must belong to the installation's team. */
export function toMember(user: UserRecord): MemberRecord {
  const role = user.isOwner ? 'owner' : user.isAdmin ? 'admin' : user.isGuest ? 'guest' : 'member';
  return { ...user, role };
}

/**
 * Whether an id belongs to the installation's workspace, to its organization, or to a workspace that Foyer knows to be
 * in that organization.
 */
export async function isOfHost(
  queries: Queries,
  { clientId, teamId, enterpriseId }: Host,
  workspaceId: string,
): Promise<boolean> {
  if (workspaceId === teamId || workspaceId === enterpriseId) return true;
  if (enterpriseId === null) return false;
  const find = (table: 'teams' | 'team_access') =>
    queries
      .selectFrom(table)
      .select('team_id')
      .where('client_id', '=', clientId)
      .where('team_id', '=', workspaceId)
      .where('enterprise_id', '=', enterpriseId)
      .executeTakeFirst();
  return ((await find('team_access')) ?? (await find('teams'))) !== undefined;
}
