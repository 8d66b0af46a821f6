import type { Logger } from '../config/log.ts';
import type { Database, Tx } from '../database/database.ts';
import { lockInstallation } from '../database/installations.ts';
import { queueNotice } from '../database/notices.ts';
import type { Standing } from '../database/people/members.ts';
import { isKnownPerson, updatePerson } from '../database/people/people.ts';
import { endSessionsOf, hasSession, type PersonOfSessions } from '../database/sessions.ts';
import { moveTeam, renameTeam, storedBefore } from '../database/teams.ts';
import { type RemovalOptions, tenantOfQuery } from '../installations/installation-store.ts';
import { slackProfile, visibleText, visibleValue } from '../slack/slack-text.ts';
import type { Delivery, Effect } from './lifecycle-events.ts';
import { type Fields, fieldsOf, idOf } from './slack-request.ts';

/**
 * This file handles the events that rename a team, move a team or change its people. It also handles
 * `app_rate_limited`, which reports that Slack drops events. If a field of an event is missing or has a wrong type,
 * Foyer keeps the stored value.
 */

/** Slack may send `app_rate_limited` every minute; Foyer queues at most one notice an hour for each installation. */
const noticeEveryMs = 3_600_000;

/** Creates the functions that handle the events above, by event type. */
export function createKeepNames(deps: {
  database: Database;
  clientId: string;
  now: () => number;
  log: Logger;
}): ReadonlyMap<string, Effect> {
  const { database, clientId, now, log } = deps;

  const rename: Effect = async ({ event, query, happenedAt, removal }) => {
    const { teamId } = query;
    const name = visibleText(event.fields.name);
    const domain = visibleValue(event.fields.domain);
    // An org-wide install has the enterprise's name, so a team's new name does not change it.
    if (teamId === undefined || query.isEnterpriseInstall || (name ?? domain) === null) return false;
    const renamed = { clientId, teamId, name, domain, at: happenedAt };
    return database.write((tx) => renameTeam(tx, renamed), removal.patienceMs);
  };

  const moveToEnterprise: Effect = async ({ event, query, happenedAt, removal }) => {
    const { teamId } = query;
    const enterpriseId = idOf(event.fields.enterprise_id);
    if (teamId === undefined || query.isEnterpriseInstall || enterpriseId === undefined) return false;
    const moved = { clientId, teamId, enterpriseId, at: happenedAt };
    return database.write((tx) => moveTeam(tx, moved), removal.patienceMs);
  };

  const changePerson: Effect = async ({ event, query, happenedAt, removal }) => {
    const user = fieldsOf(event.fields.user);
    const userId = idOf(user.id);
    const teamId = query.isEnterpriseInstall ? query.enterpriseId : query.teamId;
    if (userId === undefined || teamId === undefined || isStranger(user, query)) return false;
    if (user.deleted === true)
      await endSessions({ clientId, teamId, userId, signedBefore: storedBefore(happenedAt) }, removal);
    // Slack sends one event for each change of each member, and few members are registered. So read before writing.
    if (!(await isKnownPerson(database.queries, { clientId, teamId, userId }))) return false;
    const reported = { clientId, teamId, userId, at: happenedAt, now: now() };
    const person = { ...slackProfile(user), ...standingOf(user, query.isEnterpriseInstall) };
    return database.write((tx) => updatePerson(tx, { ...reported, ...person }), removal.patienceMs);
  };

  /**
   * Ends the sessions that a deactivated person began before the event. A newer session continues, because the event is
   * older than that session (invariant 7).
   */
  async function endSessions(person: PersonOfSessions, { patienceMs }: RemovalOptions): Promise<void> {
    if (!(await hasSession(database.queries, person))) return;
    await database.write((tx) => endSessionsOf(tx, person), patienceMs);
    const { teamId, userId } = person;
    log.info({ teamId, userId }, 'a deactivated person was signed out');
  }

  const reportDrop: Effect = async ({ event, query, happenedAt, removal }) => {
    log.warn(
      { ...query, event: event.type },
      'Slack drops events from a team: there were too many in an hour',
    );
    const dropped = { tenant: tenantOfQuery(query), happenedAt };
    await database.write((tx) => queueRateLimited(tx, dropped), removal.patienceMs);
    return false;
  };

  async function queueRateLimited(tx: Tx, { tenant, happenedAt }: { tenant: string; happenedAt: number }) {
    const row = await lockInstallation(tx, { clientId, tenant });
    if (!row || row.status === 'uninstalled') return;
    const hour = Math.floor(happenedAt / noticeEveryMs);
    await queueNotice(tx, {
      causeId: `${row.id}/rate_limited/${hour}`,
      kind: 'rate_limited',
      installationId: row.id,
      userId: null,
      detail: 'app_rate_limited',
      now: now(),
    });
  }

  return new Map<string, Effect>([
    ['team_rename', rename],
    ['team_domain_change', rename],
    ['user_change', changePerson],
    // When the migration starts, the team still has its own installation, so Foyer only logs the event.
    ['grid_migration_started', async () => false],
    ['grid_migration_finished', moveToEnterprise],
    ['app_rate_limited', reportDrop],
  ]);
}

/**
 * Whether the event is certainly about a person of another company, whom the tenant knows from a Slack Connect channel.
 * A member of the tenant may have the same user id.
 */
function isStranger(user: Fields, { teamId, enterpriseId, isEnterpriseInstall }: Delivery['query']): boolean {
  const homeId = idOf(user.team_id);
  if ((user.enterprise_user ?? undefined) === undefined)
    return !isEnterpriseInstall && homeId !== undefined && homeId !== teamId;
  const { enterprise_id, teams } = fieldsOf(user.enterprise_user);
  const orgId = idOf(enterprise_id);
  if (isEnterpriseInstall) return orgId !== undefined && orgId !== enterpriseId;
  return homeId !== teamId && Array.isArray(teams) && !teams.includes(teamId);
}

/** Returns what the event says about a person's rights in the tenant. */
function standingOf(user: Fields, isOrgWide: boolean): Partial<Standing> {
  const { is_admin, is_owner } = isOrgWide ? fieldsOf(user.enterprise_user) : user;
  const { deleted, is_restricted } = user;
  // Slack omits the rights of an account that was deactivated.
  if (deleted === true) return { isAdmin: false, isOwner: false, isDeactivated: true };
  return {
    ...(deleted === false && { isDeactivated: false }),
    ...(typeof is_admin === 'boolean' &&
      typeof is_owner === 'boolean' && { isAdmin: is_admin, isOwner: is_owner }),
    ...(typeof is_restricted === 'boolean' && { isGuest: is_restricted }),
  };
}
