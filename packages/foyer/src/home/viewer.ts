import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import type { InstallRecord, RunRecord } from '../database/install-record.ts';
import {
  findExternalMember,
  isOfHost,
  recordExternalVisit,
  recordVisit,
  type Standing,
} from '../database/people/members.ts';
import { prepareMember, type UserRecord } from '../database/people/people.ts';
import type { TokenSource } from '../installations/token-source.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { type SlackProfile, type SlackUser, slackProfile } from '../slack/slack-text.ts';

/**
 * People open Home often, so Foyer stores Slack's answer to whether a person is an admin. Foyer asks again after a day,
 * because an admin may restart things, and the person may no longer be an admin.
 *
 * When the person presses a button, the answer may be up to two days old. It was at most a day old when Foyer showed
 * the button, and Foyer must acknowledge the press before any call to Slack (invariant 6).
 */
const askAfterMs = 24 * 60 * 60 * 1000;
const proofLastsMs = 2 * askAfterMs;
/**
 * How long Foyer waits before it records again that it saw a person, so that an active person costs one commit an hour.
 */
const seenAgainMs = 60 * 60 * 1000;

/**
 * Finds out what rights a person has in an installation. Registers the person if Slack described them or if `seen` is
 * true. After Slack has answered about a person, Foyer does not ask again for a day. Usually Foyer does not ask about
 * the installer, since the install proves who the installer is. With `ask: false`, Foyer never asks: when
 * a person presses a button, Foyer must acknowledge the press before any call to Slack.
 */
export type FindViewer = (
  record: InstallRecord,
  userId: string,
  options?: {
    /** Whether Foyer may ask Slack; true by default. */
    ask?: boolean;
    /**
     * Whether the person is using the app right now. If so, Foyer registers the person and stores when they were last
     * seen, accurate to an hour.
     */
    seen?: boolean;
    /** The person's workspace according to Slack. In a Slack Connect channel, it may belong to another company. */
    from?: string;
  },
) => Promise<Viewer>;

interface Answer {
  standing: Standing;
  profile: SlackProfile;
  /** The person's own team, if it is not the installation's. */
  homeTeamId: string | undefined;
}

/** Creates the function that finds out what rights a person has in an installation. */
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

  /** Returns Slack's answer about a person. Without an answer, the person does not count as an admin. */
  async function askSlack(
    record: InstallRecord,
    userId: string,
    from: string | undefined,
  ): Promise<Answer | undefined> {
    if (!record.botScopes?.includes('users:read')) return undefined;
    try {
      const token = await deps.botToken(record.id);
      const { user } = await slack.users.info({ token, user: userId, include_locale: true });
      // When Foyer asks about a person of another workspace, Slack may describe a person of this workspace who has the
      // same user id.
      if (!user || (from !== undefined && !isIn(from, user))) return undefined;
      return {
        standing: standingIn(record, user),
        profile: slackProfile(user),
        homeTeamId: isMember(record, user) ? undefined : user.team_id,
      };
    } catch (error) {
      const failure = slackFailure(error);
      if (!failure) throw error;
      log.warn(
        { installationId: record.id, userId, error: failure.code },
        'could not look up a person at Slack',
      );
      return undefined;
    }
  }

  async function findKnown(host: InstallRecord, userId: string, homeTeamId: string | undefined) {
    const member = homeTeamId === undefined ? await readMember(host, userId) : undefined;
    if (member) return { ...member, homeTeamId: undefined };
    const external = await findExternalMember(database.queries, { host, userId, homeTeamId });
    if (!external) return undefined;
    const { record: profile, provenAt } = external;
    return { isAdmin: false, provenAt, profile, lastSeenAt: profile.lastSeenAt, homeTeamId: profile.teamId };
  }

  return async (record, userId, { ask = true, seen = false, from } = {}) => {
    const isForeign = from !== undefined && !(await isOfHost(database.queries, record, from));
    const known = await findKnown(record, userId, isForeign ? from : undefined);
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : now() - known.provenAt;
    // The install proves the installer's role, so Foyer does not ask Slack for it. The exception is a `provenAt` of 0:
    // Slack has never reported this person's role, or an old database had one row for the person, shared by all their
    // teams.
    const isInstaller = userId === record.installerUserId && known?.provenAt !== 0;
    const mustAsk = ask && ageMs >= askAfterMs && (!isInstaller || isForeign);
    const answer = mustAsk ? await askSlack(record, userId, isForeign ? from : undefined) : undefined;
    const homeTeamId = answer ? answer.homeTeamId : isForeign ? from : known?.homeTeamId;
    const wasAsked = mustAsk && (answer !== undefined || homeTeamId !== undefined);
    if (wasAsked || (seen && now() - (known?.lastSeenAt ?? 0) >= seenAgainMs)) {
      const visit = { host: record, userId, now: now(), seen };
      await database.write(async (tx) => {
        if (homeTeamId === undefined) {
          const reported = answer && { ...answer.standing, profile: answer.profile };
          const visited = await recordVisit(tx, { ...visit, reported });
          if (visited?.created) log.info({ installationId: record.id, userId }, 'a member was registered');
        } else {
          const reported = answer?.profile;
          await recordExternalVisit(tx, { ...visit, homeTeamId, wasAsked, reported });
        }
      });
    }
    const profile = answer ? (await findKnown(record, userId, homeTeamId))?.profile : known?.profile;
    const standing = answer?.standing;
    return {
      userId,
      isAdmin: mustAsk
        ? standing !== undefined && (standing.isAdmin || standing.isOwner)
        : known?.isAdmin === true && ageMs < proofLastsMs,
      isExternal: homeTeamId !== undefined,
      profile,
    };
  };
}

type Place = Pick<InstallRecord, 'teamId' | 'enterpriseId' | 'isEnterpriseInstall'>;

/** Returns whether a person belongs to the installation's team or, for an org-wide install, to its organization. */
function isMember(place: Place, { team_id, enterprise_user }: SlackUser): boolean {
  if (place.isEnterpriseInstall) return enterprise_user?.enterprise_id === place.enterpriseId;
  return team_id === undefined || isIn(place.teamId ?? '', { team_id, enterprise_user });
}

function isIn(teamId: string, user: Pick<SlackUser, 'team_id' | 'enterprise_user'>): boolean {
  return user.team_id === teamId || user.enterprise_user?.teams?.includes(teamId) === true;
}

/**
 * Reads a person's rights. An admin of another workspace has no rights here, even if that workspace belongs to the same
 * organization. In an org-wide install, only the organization's own admins count.
 */
export function standingIn(place: Place, user: SlackUser): Standing {
  const isDeactivated = user.deleted === true;
  const isGuest = user.is_restricted === true || user.is_ultra_restricted === true;
  const nobody = { isAdmin: false, isOwner: false, isGuest, isDeactivated };
  if (isDeactivated || user.is_bot || !isMember(place, user)) return nobody;
  const { is_admin, is_owner } = (place.isEnterpriseInstall ? user.enterprise_user : user) ?? {};
  return { ...nobody, isAdmin: is_admin === true, isOwner: is_owner === true };
}

/**
 * Why these functions are in one place: the view uses them to decide which buttons to draw, and the handlers use them
 * to decide what a press may do. So a press of a forged or outdated button does nothing.
 */

/** The action ids of the view's buttons. Slack also sends the id of a link button, which Foyer only acknowledges. */
export const homeActions = {
  retryRun: 'foyer.retry_run',
  sendWelcome: 'foyer.send_welcome',
  updatePermissions: 'foyer.update_permissions',
  finishConnecting: 'foyer.finish_connecting',
  answer: 'foyer.answer',
  connectAccount: 'foyer.connect_account',
  disconnectAccount: 'foyer.disconnect_account',
} as const;

/** The name of the step that sends the welcome. Never change it, because it is stored in databases. */
export const welcomeStepName = 'send-welcome';

/**
 * The person who opens App Home or presses one of its buttons. `isAdmin`: whether Slack has confirmed that they are an
 * admin or an owner.
 */
export interface Viewer {
  userId: string;
  isAdmin: boolean;
  /**
   * Whether the viewer belongs to another workspace. If so, do not compare only user ids: a person of the
   * installation's own team may have the same id.
   */
  isExternal?: boolean;
  /** Their own stored profile; undefined if there is none. */
  profile: UserRecord | undefined;
}

/** Returns whether a person may restart things in this installation: only its installer and the admins may. */
export function mayAct(
  record: Pick<InstallRecord, 'status' | 'installerUserId'>,
  viewer: Pick<Viewer, 'userId' | 'isAdmin' | 'isExternal'>,
): boolean {
  if (record.status === 'uninstalled' || viewer.isExternal) return false;
  return viewer.isAdmin || viewer.userId === record.installerUserId;
}

/** A press on one of Home's buttons, in Slack or on the web. */
interface HomePress {
  action: string;
  value: string;
  record: InstallRecord;
  userId: string;
  isAllowed: boolean;
}

/**
 * Performs the action of a press, and resolves when the effect is committed. The same rules apply in Slack and on the
 * web: "Try again" and "Send the welcome again" work only for people who may restart things (`mayAct`), and
 * "Disconnect" affects only the person who presses it.
 */
export type PressHome = (press: HomePress) => Promise<void>;

function isOver(run: RunRecord): boolean {
  return run.status === 'succeeded' || run.status === 'failed';
}

/**
 * Returns whether there is something to retry: the installation is active, its newest run has succeeded or failed, and
 * a step failed or is unconfirmed. `steps` are the run's steps that the person sees. An unconfirmed welcome does not
 * count, since sending another welcome is a separate choice (invariant 3).
 */
export function canRetryRun(
  { status: state, run }: Pick<InstallRecord, 'status' | 'run'>,
  steps: RunRecord['steps'],
): boolean {
  if (state !== 'active' || run === null || !isOver(run)) return false;
  return steps.some(
    ({ name, status }) =>
      // A failed step that only operators see does not fail the run.
      (status === 'failed' && run.status === 'failed') ||
      (status === 'unconfirmed' && name !== welcomeStepName),
  );
}

/**
 * Returns whether a person can ask for another welcome: the installation is active and has a bot, and its newest run
 * has succeeded or failed and has the step that sends the welcome.
 */
export function canSendWelcome({
  status,
  botScopes,
  run,
}: Pick<InstallRecord, 'status' | 'botScopes' | 'run'>): boolean {
  if (status !== 'active' || botScopes === null || run === null || !isOver(run)) return false;
  return run.steps.some(({ name }) => name === welcomeStepName);
}
