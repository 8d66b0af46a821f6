import { readOnceMessage } from '../database/once-messages.ts';
import type { OnceMessageRow } from '../database/records.ts';
import { sendOnce } from '../pipeline/send-once.ts';
import {
  type ActingStep,
  type PostedMessage,
  type StepContext,
  type StepEnd,
  skip,
  waitFor,
} from '../pipeline/step.ts';
import { openInSlack } from '../slack/open-in-slack.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { fetchProfile } from './fetch-profile.ts';
import { skipWithoutBot } from './skip-without-bot.ts';
import { welcomeMessage } from './welcome-message.ts';

/**
 * Sends the installer one welcome DM per life of the installation (invariant 3).
 *
 * Safe to run twice: `sendOnce` records the attempt before it calls Slack, and looks in the DM's history for a welcome
 * whose outcome is unknown. If that history cannot be read, the welcome stays unconfirmed, and only a person can retry
 * it.
 */
export const sendWelcome: ActingStep<PostedMessage> = {
  name: 'send-welcome',
  title: { todo: 'Send the welcome message', doing: 'Sending the welcome message' },
  required: false,
  timeLimitMs: 40_000,
  maxAttempts: 15,
  unneeded: skipWithoutBot,
  async run(context) {
    const { runId, installationId, life, userId, services } = context;
    const key = { kind: 'welcome', installationId, life, key: userId } as const;
    const previous = await readOnceMessage(services.database.queries, key);
    if (previous?.status === 'sent') return alreadySent(context, previous);
    if (context.isEnterpriseInstall && context.workspaceIds.length === 0)
      return waitFor('team_access_granted');
    try {
      return await sendOnce(context, {
        key,
        previous,
        to: userId,
        metadata: {
          event_type: 'foyer_welcome',
          event_payload: { run_id: runId, installation_id: installationId, life },
        },
        content: () => contentFor(context),
      });
    } catch (error) {
      // The installer is in none of the workspaces that granted access so far: perhaps in the next one.
      const isShutOut = slackFailure(error)?.code === 'team_access_not_granted';
      if (context.isEnterpriseInstall && isShutOut) return waitFor('team_access_granted');
      throw error;
    }
  },
};

/** This run may have sent the welcome and died before it committed the end of the step. */
function alreadySent(context: StepContext, welcome: OnceMessageRow): PostedMessage | StepEnd {
  const { run_id: runId, channel_id: channelId, message_ts: messageTs } = welcome;
  if (runId === context.runId && channelId !== null && messageTs !== null) return { channelId, messageTs };
  return skip('already_sent', 'This person already received the welcome for this install');
}

function contentFor(context: StepContext) {
  const { config, brand, texts, claimUrl } = context.services;
  const { installationId, life, userId } = context;
  const profile = context.output(fetchProfile);
  return welcomeMessage({
    words: texts.forLocale(profile?.user?.locale),
    brand,
    userId,
    personName: profile?.user?.callName ?? null,
    placeName: profile?.team?.name ?? context.teamName ?? context.enterpriseName,
    links: openInSlack(config, { appId: context.appId, teamId: context.workspaceId ?? context.teamId }),
    claimUrl: context.connection ? undefined : claimUrl?.({ installationId, life, userId }),
  });
}
