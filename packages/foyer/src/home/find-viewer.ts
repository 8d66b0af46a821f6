import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { type InstallRecord, registeredTeamId } from '../database/install-record.ts';
import { prepareMember, updateProfile } from '../database/people.ts';
import type { TokenSource } from '../installations/token-source.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { type SlackProfile, type SlackUser, slackProfile } from '../slack/user-profile.ts';
import type { Viewer } from './may-act.ts';

/**
 * Why a stored answer grows old: who may start things over must be proven, and admins change. Why it is stored at all:
 * Home is opened often, and one question a day for each person is enough. Why a press may rely on it a day longer: a
 * press is acknowledged within Slack's three seconds, with no call to Slack before that (invariant 6), and the button
 * was drawn when the answer was at most a day old.
 */
const askAfterMs = 24 * 60 * 60 * 1000;
const proofLastsMs = 2 * askAfterMs;

/**
 * Finds out who a person is to an installation. Slack is asked at most once a day about each, about the installer never,
 * and with `ask: false` about nobody: so before a press is acknowledged.
 */
export type FindViewer = (
  record: InstallRecord,
  userId: string,
  options?: { ask?: boolean },
) => Promise<Viewer>;

interface Standing {
  isAdmin: boolean;
  isOwner: boolean;
}

/** Makes the function that says who looks at App Home, or pressed a button of it. */
export function createFindViewer(deps: {
  database: Database;
  slack: SlackClientFactory;
  botToken: TokenSource['botToken'];
  now: () => number;
  log: Logger;
}): FindViewer {
  const { database, now, log } = deps;
  const readMember = prepareMember(database);
  const slack = deps.slack(undefined);

  /** Slack's own answer; undefined where it gives none, and then nobody is an admin. */
  async function askSlack(
    record: InstallRecord,
    userId: string,
  ): Promise<{ standing: Standing; profile: SlackProfile } | undefined> {
    if (!record.botScopes?.includes('users:read')) return undefined;
    try {
      const token = await deps.botToken(record.id);
      const { user } = await slack.users.info({ token, user: userId, include_locale: true });
      return user && { standing: standingIn(record, user), profile: slackProfile(user) };
    } catch (error) {
      const failure = slackFailure(error);
      if (!failure) throw error;
      log.warn(
        { installationId: record.id, userId, error: failure.code },
        'could not look up who opened Home',
      );
      return undefined;
    }
  }

  return async (record, userId, { ask = true } = {}) => {
    const member = await readMember(record, userId);
    const profile = member?.profile;
    const ageMs = member === undefined ? Number.POSITIVE_INFINITY : now() - member.provenAt;
    const proven = { userId, isAdmin: member?.isAdmin === true && ageMs < proofLastsMs, profile };
    // The installer is known from the install, but for one whose profile was mixed up with another team's before.
    const isKnown = userId === record.installerUserId && member?.provenAt !== 0;
    if (!ask || ageMs < askAfterMs || isKnown) return proven;
    const answer = await askSlack(record, userId);
    if (answer) await storeAnswer(database, record, userId, answer, now());
    const standing = answer?.standing;
    return { userId, isAdmin: standing !== undefined && (standing.isAdmin || standing.isOwner), profile };
  };
}

/**
 * Admins of another workspace, met through Slack Connect or elsewhere in the organisation, are nobody's admins here.
 * In an org-wide install only the organisation's own admins count.
 */
export function standingIn(
  record: Pick<InstallRecord, 'teamId' | 'enterpriseId' | 'isEnterpriseInstall'>,
  user: SlackUser,
): Standing {
  const nobody = { isAdmin: false, isOwner: false };
  if (user.deleted || user.is_bot) return nobody;
  const { enterprise_user: inEnterprise } = user;
  if (record.isEnterpriseInstall) {
    if (inEnterprise?.enterprise_id !== record.enterpriseId) return nobody;
    return { isAdmin: inEnterprise?.is_admin === true, isOwner: inEnterprise?.is_owner === true };
  }
  const isMember = user.team_id === record.teamId || inEnterprise?.teams?.includes(record.teamId ?? '');
  return isMember ? { isAdmin: user.is_admin === true, isOwner: user.is_owner === true } : nobody;
}

async function storeAnswer(
  database: Database,
  record: InstallRecord,
  userId: string,
  { standing, profile }: { standing: Standing; profile: SlackProfile },
  now: number,
): Promise<void> {
  const flags = {
    is_admin: Number(standing.isAdmin),
    is_owner: Number(standing.isOwner),
    updated_at: now,
  };
  await database.write(async (transaction) => {
    // An installation that was erased meanwhile must leave nobody behind.
    const installation = await transaction
      .selectFrom('installations')
      .select('id')
      .where('id', '=', record.id)
      .where('status', '!=', 'uninstalled')
      .forShare()
      .executeTakeFirst();
    if (!installation) return;
    await transaction
      .insertInto('memberships')
      .values({
        client_id: record.clientId,
        team_id: registeredTeamId(record),
        user_id: userId,
        first_seen_at: now,
        ...flags,
      })
      .onConflict((conflict) => conflict.columns(['client_id', 'team_id', 'user_id']).doUpdateSet(flags))
      .execute();
    const about = { clientId: record.clientId, teamId: registeredTeamId(record), userId, now };
    await updateProfile(transaction, about, profile);
  });
}
