import type { TeamInfoResponse, UsersInfoResponse } from '@slack/web-api';
import { registeredTeamId } from '../database/install-record.ts';
import { recordUser, saveProfile, type UserProfile } from '../database/people/people.ts';
import { recordTeam, type TeamProfile } from '../database/teams.ts';
import {
  type ActingStep,
  type RecordingStep,
  type Skip,
  type StepContext,
  type StepFacts,
  type StepWrite,
  skip,
  waitFor,
  withWrite,
} from '../pipeline/step.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { slackProfile, visibleText, visibleValue } from '../slack/slack-text.ts';

/** Skips a step that needs a bot, if the install has no bot. */
export function skipWithoutBot({ botScopes }: StepFacts): Skip | undefined {
  return botScopes === null ? skip('no_bot', 'This install has no bot') : undefined;
}

/** The team that Foyer registered. For an org-wide install, this is the enterprise. */
type RegisteredTeam = {
  teamId: string;
  /** Whether this install is the first in which the app sees the team. */
  created: boolean;
};

/**
 * Creates or updates the team.
 *
 * Safe to run twice: for a new team, the step stores the run's creation time as the time when Foyer first saw the team.
 * So a second execution recognizes that this run created the team.
 */
export const registerTeam: RecordingStep<RegisteredTeam> = {
  name: 'register-team',
  title: { todo: 'Register the workspace', doing: 'Registering the workspace' },
  required: true,
  maxAttempts: 5,
  async write(transaction, facts) {
    const { clientId, enterpriseId, isEnterpriseInstall, runCreatedAt } = facts;
    const teamId = registeredTeamId(facts);
    const { firstSeenAt } = await recordTeam(transaction, {
      clientId,
      teamId,
      name: isEnterpriseInstall ? facts.enterpriseName : facts.teamName,
      enterpriseId,
      seenAt: runCreatedAt,
      now: facts.now(),
    });
    return { teamId, created: firstSeenAt === runCreatedAt };
  },
};

type RegisteredUser = {
  userId: string;
  /** Whether this install is the first in which the app sees the person. */
  created: boolean;
};

/**
 * Creates or updates the installer, and their membership in the team.
 *
 * Safe to run twice: a new person's first-seen time is the time when the run was created, so `created` is the same both
 * times.
 */
export const registerUser: RecordingStep<RegisteredUser> = {
  name: 'register-user',
  title: { todo: 'Register the person who installs', doing: 'Registering the person who installs' },
  required: true,
  maxAttempts: 5,
  async write(transaction, facts) {
    const { clientId, userId, runCreatedAt } = facts;
    const { firstSeenAt } = await recordUser(transaction, {
      clientId,
      teamId: registeredTeamId(facts),
      userId,
      seenAt: runCreatedAt,
      now: facts.now(),
    });
    return { userId, created: firstSeenAt === runCreatedAt };
  },
};

/**
 * What Slack said about the installer and the team. A value is null if the app lacks the scope for it, if Slack refused
 * the call, or if the answer does not contain it.
 */
type FetchedProfile = {
  /** `callName` is what to call them in a greeting. */
  user: (UserProfile & { callName: string | null }) | null;
  /** Also null for an org-wide install, which belongs to no single workspace. */
  team: TeamProfile | null;
  /** Which methods gave no answer, and why. */
  missing: { method: string; code: string }[];
};

/**
 * Slack's answer, or why there is none. If Slack refused the call, `error` is the refusal. If the app lacks the scope,
 * Foyer makes no call, so there is no `error`.
 */
type Answer<T> = { answer: T } | { code: string; error?: unknown };

/**
 * Reads the installer (`users.info`) and the team (`team.info`), and saves both. If the app lacks a scope, only the
 * data behind that scope is missing; if all data is missing, the step is skipped. If Slack refuses `users.info`, the
 * step fails; in an org-wide install that has no access to the person yet, the step waits. If Slack refuses only
 * `team.info`, the step succeeds: that method only adds to what the install has provided.
 *
 * Safe to run twice: it reads from Slack, and overwrites what it saved before.
 */
export const fetchProfile: ActingStep<FetchedProfile> = {
  name: 'fetch-profile',
  title: { todo: 'Read the profile', doing: 'Reading the profile' },
  required: false,
  timeLimitMs: 20_000,
  maxAttempts: 6,
  unneeded: skipWithoutBot,
  async run(context) {
    if (context.isEnterpriseInstall && context.workspaceIds.length === 0)
      return waitFor('team_access_granted');
    const [user, team] = await Promise.all([askUser(context), askTeam(context)]);
    if (context.isEnterpriseInstall && 'code' in user && user.code === 'team_access_not_granted') {
      return waitFor('team_access_granted');
    }
    if ('code' in user && !('error' in user) && (team === null || 'code' in team)) {
      return skip(user.code, 'The app could read neither the installer nor the workspace');
    }
    const profile = {
      user: 'answer' in user ? userProfile(user.answer, context) : null,
      team: team !== null && 'answer' in team ? teamProfile(team.answer) : null,
    };
    const save = saving(context, profile);
    if ('error' in user) {
      await context.services.database.write(save);
      throw user.error;
    }
    const missing = [...missingOf('users.info', user), ...missingOf('team.info', team)];
    return withWrite({ ...profile, missing }, save);
  },
};

function saving(context: StepContext, profile: Pick<FetchedProfile, 'user' | 'team'>): StepWrite {
  const { clientId, userId } = context;
  const reported = { clientId, teamId: registeredTeamId(context), userId, now: context.now() };
  return (transaction) => saveProfile(transaction, reported, profile);
}

async function askUser(context: StepContext): Promise<Answer<UsersInfoResponse>> {
  const { userId, workspaceId } = context;
  return ask(context, 'users:read', async () => {
    const slack = await context.slack();
    const place = workspaceId === null ? {} : { team_id: workspaceId };
    return slack.users.info({ user: userId, include_locale: true, ...place });
  });
}

/**
 * Returns null for an org-wide install: such an install registers the enterprise, which `team.info` does not describe.
 */
async function askTeam(context: StepContext): Promise<Answer<TeamInfoResponse> | null> {
  const { teamId } = context;
  if (teamId === null) return null;
  return ask(context, 'team:read', async () => {
    const slack = await context.slack();
    return slack.team.info({ team: teamId });
  });
}

async function ask<T>(context: StepContext, scope: string, call: () => Promise<T>): Promise<Answer<T>> {
  if (!context.botScopes?.includes(scope)) return { code: 'missing_scope' };
  try {
    return { answer: await call() };
  } catch (error) {
    const failure = slackFailure(error);
    if (failure?.kind !== 'refused') throw error;
    context.log.info({ scope, code: failure.code }, 'Slack refused the call');
    return { code: failure.code, error };
  }
}

function missingOf(method: string, answer: Answer<unknown> | null): FetchedProfile['missing'] {
  return answer !== null && 'code' in answer ? [{ method, code: answer.code }] : [];
}

/** In an org-wide install, only the organization's admins count as admins, not those of a single workspace. */
function userProfile(
  { user }: UsersInfoResponse,
  { isEnterpriseInstall }: StepContext,
): NonNullable<FetchedProfile['user']> {
  const { profile } = user ?? {};
  const standing = isEnterpriseInstall ? user?.enterprise_user : user;
  return {
    callName:
      visibleText(profile?.first_name) ??
      visibleText(profile?.display_name) ??
      visibleText(profile?.real_name),
    ...slackProfile(user),
    isAdmin: standing?.is_admin === true,
    isOwner: standing?.is_owner === true,
    isGuest: user?.is_restricted === true,
  };
}

function teamProfile({ team }: TeamInfoResponse): NonNullable<FetchedProfile['team']> {
  const icon = team?.icon?.image_default === true ? undefined : team?.icon?.image_132;
  return { name: visibleText(team?.name), domain: visibleValue(team?.domain), iconUrl: visibleValue(icon) };
}
