import type { Logger } from '../config/log.ts';
import type { SignInInstallation } from '../database/sessions.ts';
import { standingIn } from '../home/viewer.ts';
import type { TokenSource } from '../installations/token-source.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { type SlackProfile, slackProfile } from '../slack/slack-text.ts';

/** A request waits at most this long for Slack's answer, and then continues without it. */
const timeoutMs = 2500;

/** What Slack says about a person: who they are, or that they are gone (deactivated or unknown). */
export type FoundPerson =
  | { kind: 'gone' }
  | { kind: 'there'; profile: SlackProfile; isAdmin: boolean; isOwner: boolean; isGuest: boolean };

/**
 * Creates the function that asks Slack's users.info about a person. It resolves to undefined if the bot may not ask, or
 * the call fails. Read-only, so a repeat is safe.
 */
export function createLookUpPerson(deps: {
  slack: SlackClientFactory;
  botToken: TokenSource['botToken'];
  log: Logger;
}) {
  const slack = deps.slack(undefined, { timeoutMs });

  return async function lookUpPerson(
    installation: SignInInstallation,
    userId: string,
  ): Promise<FoundPerson | undefined> {
    if (!installation.botScopes.includes('users:read')) return undefined;
    try {
      const token = await deps.botToken(installation.id);
      const { user } = await slack.users.info({ token, user: userId, include_locale: true });
      if (!user) return undefined;
      if (user.deleted) return { kind: 'gone' };
      return { kind: 'there', profile: slackProfile(user), ...standingIn(installation, user) };
    } catch (error) {
      const code = slackFailure(error)?.code;
      if (code === 'user_not_found') return { kind: 'gone' };
      // If Slack or the bot's token fails, the sign-in continues: the failure says nothing about the person, who may be
      // signing in to find out what is wrong.
      deps.log.warn(
        { err: error, installationId: installation.id, code },
        'could not ask Slack about a member',
      );
      return undefined;
    }
  };
}

export type LookUpPerson = ReturnType<typeof createLookUpPerson>;
