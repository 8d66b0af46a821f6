import type { ExpressionBuilder } from 'kysely';
import type { Queries, Tx } from './database.ts';
import { type PersonKey, toProfile, type UserProfile } from './people/people.ts';
import { type Given, prepareQuery } from './prepared-query.ts';
import type { InstallationRow, SessionRow, Tables } from './records.ts';

/**
 * Each session is a row: deleting the row ends the session on every machine. The cookie holds the row's id, sealed. So
 * a person who has only a copy of the table cannot sign in.
 */

/** A session expires if it is not used for this long. */
export const sessionUnusedMs = 12 * 3_600_000;
/** How much longer an expired row stays: a process whose clock is behind may still accept its session or state. */
const graceMs = 3_600_000;
/** The most rows that one statement deletes, so that no cleanup takes long. */
const sweptRows = 500;
/** How many sessions of one kind a person may have at the same time; a new one ends the oldest. */
const mostOfOnePerson = 20;

/**
 * Begins a session. Deletes sessions of the same kind that expired over an hour ago. If the person then has too many
 * sessions, deletes their oldest.
 */
export async function beginSession(tx: Tx, session: SessionRow): Promise<void> {
  const { client_id: clientId, kind, registered_team_id: teamId, user_id: userId } = session;
  const unusedSince = session.began_at - sessionUnusedMs - graceMs;
  const ofKind = tx
    .selectFrom('sessions')
    .select('id')
    .where('client_id', '=', clientId)
    .where('kind', '=', kind)
    .limit(sweptRows);
  const unused = ofKind.where('seen_at', '<', unusedSince);
  await tx.deleteFrom('sessions').where('id', 'in', unused).execute();
  await tx.insertInto('sessions').values(session).execute();
  if (userId === null) return;
  const tooMany = ofKind
    .where('registered_team_id', '=', teamId)
    .where('user_id', '=', userId)
    .orderBy('began_at', 'desc')
    .orderBy('id')
    .offset(mostOfOnePerson);
  await tx.deleteFrom('sessions').where('id', 'in', tooMany).execute();
}

const sessionById = prepareQuery(
  (queries, given: Given<{ id: string; clientId: string; kind: SessionRow['kind'] }>) =>
    queries
      .selectFrom('sessions')
      .selectAll()
      .where('id', '=', given.id)
      .where('client_id', '=', given.clientId)
      .where('kind', '=', given.kind),
);

/** Reads a session by its id, app and kind; returns undefined if there is none, for example after it ended. */
export async function readSession(
  queries: Queries,
  key: { id: string; clientId: string; kind: SessionRow['kind'] },
): Promise<SessionRow | undefined> {
  return (await sessionById(queries, key)).rows[0];
}

/** An installation whose members may sign in. */
export interface SignInInstallation {
  id: string;
  clientId: string;
  life: number;
  /** Null for an org-wide install. */
  teamId: string | null;
  enterpriseId: string | null;
  isEnterpriseInstall: boolean;
  botScopes: readonly string[];
}

const installationColumns = [
  'installations.id',
  'installations.client_id',
  'installations.life',
  'installations.team_id',
  'installations.enterprise_id',
  'installations.is_enterprise_install',
  'installations.bot_scopes',
] as const;

function toSignInInstallation(
  row: Pick<
    InstallationRow,
    'id' | 'client_id' | 'life' | 'team_id' | 'enterprise_id' | 'is_enterprise_install' | 'bot_scopes'
  >,
): SignInInstallation {
  return {
    id: row.id,
    clientId: row.client_id,
    life: row.life,
    teamId: row.team_id,
    enterpriseId: row.enterprise_id,
    isEnterpriseInstall: row.is_enterprise_install === 1,
    // The cast is safe: only Foyer writes this column.
    botScopes: row.bot_scopes === null ? [] : (JSON.parse(row.bot_scopes) as string[]),
  };
}

const signedInById = prepareQuery((queries, given: Given<{ id: string }>) =>
  queries
    .selectFrom('sessions')
    .innerJoin('installations', 'installations.id', 'sessions.installation_id')
    .leftJoin('users', (join) =>
      join
        .onRef('users.client_id', '=', 'sessions.client_id')
        .onRef('users.team_id', '=', 'sessions.registered_team_id')
        .onRef('users.user_id', '=', 'sessions.user_id'),
    )
    .leftJoin('memberships', (join) =>
      join
        .onRef('memberships.client_id', '=', 'sessions.client_id')
        .onRef('memberships.team_id', '=', 'sessions.registered_team_id')
        .onRef('memberships.user_id', '=', 'sessions.user_id'),
    )
    .select(installationColumns)
    .select(['users.name', 'users.real_name', 'users.email', 'users.timezone'])
    .select(['users.locale', 'users.avatar_url'])
    .select(['memberships.is_admin', 'memberships.is_owner', 'memberships.is_guest'])
    .where('sessions.id', '=', given.id)
    // An uninstall ends the sessions of the installation, and a reinstall does not make them valid again. So the life
    // of the installation must be the same as when the session began.
    .where('installations.status', '!=', 'uninstalled')
    .whereRef('installations.life', '=', 'sessions.life'),
);

/** A stored session of a member, with the member's profile and installation. */
export interface SignedIn {
  session: SessionRow;
  person: PersonKey;
  profile: UserProfile;
  installation: SignInInstallation;
}

/**
 * Reads the person and the installation of a session. Returns undefined for an operator's session, for a session that
 * has ended, and for a session that began before an uninstall.
 */
export async function readSignedIn(queries: Queries, session: SessionRow): Promise<SignedIn | undefined> {
  const { client_id: clientId, registered_team_id: teamId, user_id: userId } = session;
  const row = (await signedInById(queries, { id: session.id })).rows[0];
  const installation = row && toSignInInstallation(row);
  if (!installation || teamId === null || userId === null) return undefined;
  return {
    session,
    person: { clientId, teamId, userId },
    profile: toProfile(row),
    installation,
  };
}

/** Records that a session is in use. Losing this write does no harm. */
export async function touchSession(queries: Queries, session: { id: string; now: number }): Promise<void> {
  await queries
    .updateTable('sessions')
    .set({ seen_at: session.now })
    .where('id', '=', session.id)
    .where('seen_at', '<', session.now)
    .execute();
}

/**
 * Claims the next check of a session, in which Foyer asks Slack whether the session's person still has an account.
 * Returns false if another request or process claimed the check first, or if the session has ended. `before` is the
 * `checked_at` that the caller read.
 */
export async function claimCheck(
  queries: Queries,
  turn: { id: string; before: number | null; now: number },
): Promise<boolean> {
  const { id, before, now } = turn;
  const { numUpdatedRows } = await queries
    .updateTable('sessions')
    .set({ checked_at: now })
    .where('id', '=', id)
    .where('checked_at', before === null ? 'is' : '=', before)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Ends a session of this app on every machine; returns false if there was no such session. */
export async function endSession(
  tx: Tx,
  session: { id: string; clientId: string; kind: SessionRow['kind'] },
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('sessions')
    .where((eb) => eb.and({ id: session.id, client_id: session.clientId, kind: session.kind }))
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Selects the sessions of a person, both as a member and as an operator. */
export interface PersonOfSessions extends PersonKey {
  /** Selects only sessions whose ID token Slack issued before this time, by Slack's clock. If omitted, all sessions. */
  signedBefore?: number;
}

/**
 * Builds a condition that selects the operator sessions of this organization. In such a session, the registered team is
 * the workspace of the sign-in. This is so even if the app is installed for the whole organization and the person's
 * record belongs to the organization.
 */
export const isOperatorOf = (enterpriseId: string) => (eb: ExpressionBuilder<Tables, 'sessions'>) =>
  eb.and([eb('kind', '=', 'operator'), eb('enterprise_id', '=', enterpriseId)]);

const ofPerson =
  ({ clientId, teamId, userId, signedBefore }: PersonOfSessions) =>
  (eb: ExpressionBuilder<Tables, 'sessions'>) =>
    eb.and([
      eb('client_id', '=', clientId),
      eb.or([eb('registered_team_id', '=', teamId), isOperatorOf(teamId)(eb)]),
      eb('user_id', '=', userId),
      ...(signedBefore === undefined ? [] : [eb('slack_signed_at', '<', signedBefore)]),
    ]);

/** Whether `endSessionsOf` would end a session of this person. */
export async function hasSession(queries: Queries, person: PersonOfSessions): Promise<boolean> {
  const found = await queries.selectFrom('sessions').select('id').where(ofPerson(person)).executeTakeFirst();
  return found !== undefined;
}

/** Ends the sessions that `person` describes, on every machine; returns false if there were none. */
export async function endSessionsOf(tx: Tx, person: PersonOfSessions): Promise<boolean> {
  const ended = await tx.deleteFrom('sessions').where(ofPerson(person)).returning('id').execute();
  return ended.length > 0;
}

/** Ends the sessions of members who signed in to one of these workspaces of an org-wide install. */
export async function endSessionsIn(
  tx: Tx,
  { installationId, teamIds }: { installationId: string; teamIds: readonly string[] },
): Promise<void> {
  if (teamIds.length === 0) return;
  await tx
    .deleteFrom('sessions')
    .where('installation_id', '=', installationId)
    .where('team_id', 'in', [...teamIds])
    .execute();
}

/** Reads at most 200 operators' sessions that were used after `usedSince`, the most recently used first. */
export async function listOperatorSessions(
  queries: Queries,
  { clientId, usedSince }: { clientId: string; usedSince: number },
): Promise<SessionRow[]> {
  return queries
    .selectFrom('sessions')
    .selectAll()
    .where('client_id', '=', clientId)
    .where('kind', '=', 'operator')
    .where('seen_at', '>', usedSince)
    .orderBy('seen_at', 'desc')
    .orderBy('id')
    .limit(200)
    .execute();
}

/**
 * Marks the state of a sign-in as used; returns false if it was used before. Also deletes states that expired over an
 * hour ago, so that the table stays small.
 */
export async function spendState(
  tx: Tx,
  state: { id: string; expiresAt: number; now: number },
): Promise<boolean> {
  const { id, expiresAt, now } = state;
  const old = tx
    .selectFrom('ended_sessions')
    .select('id')
    .where('lapses_at', '<', now - graceMs);
  await tx.deleteFrom('ended_sessions').where('id', 'in', old.limit(sweptRows)).execute();
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('ended_sessions')
    .values({ id, lapses_at: expiresAt })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Finds the active installation that a workspace uses. That is the workspace's own or, if the organization has not
 * removed the app from this workspace, the organization's. Returns undefined if there is neither. In a transaction,
 * locks the row, so that no other transaction can uninstall or erase the installation meanwhile.
 */
export async function findSignInInstallation(
  queries: Queries,
  { clientId, teamId, enterpriseId }: { clientId: string; teamId: string; enterpriseId: string | null },
): Promise<SignInInstallation | undefined> {
  const access = await queries
    .selectFrom('team_access')
    .select(['enterprise_id', 'granted'])
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .$if(enterpriseId !== null, (query) => query.where('enterprise_id', '=', enterpriseId ?? ''))
    .execute();
  const lost = access.filter(({ granted }) => granted === 0).map((row) => row.enterprise_id);
  const enterprises = [enterpriseId, ...access.map((row) => row.enterprise_id)].filter(
    (id): id is string => id !== null && !lost.includes(id),
  );
  const rows = await queries
    .selectFrom('installations')
    .select(installationColumns)
    .where('client_id', '=', clientId)
    .where('tenant', 'in', [`team:${teamId}`, ...new Set(enterprises.map((id) => `enterprise:${id}`))])
    .where('status', '=', 'active')
    .orderBy('is_enterprise_install')
    .orderBy('id')
    .limit(1)
    .forShare()
    .execute();
  return rows[0] && toSignInInstallation(rows[0]);
}
