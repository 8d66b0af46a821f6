import type { WebClient } from '@slack/web-api';
import type { WelcomeRow } from '../database/records.ts';
import type { WelcomeKey } from '../database/welcomes.ts';
import { beginWelcome, settleWelcome } from '../database/welcomes.ts';
import { retryIn, type StepContext, type StepEnd, type Written, withWrite } from '../pipeline/step.ts';
import { defaultTimeoutMs } from '../slack/create-slack-client.ts';
import { openInSlack } from '../slack/open-in-slack.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { fetchProfile } from './fetch-profile.ts';
import { welcomeEventType } from './find-welcome.ts';
import { welcomeMessage } from './welcome-message.ts';

/** Where the welcome is. */
export type SentWelcome = {
  channelId: string;
  messageTs: string;
};

/** How long after its start a call can no longer take effect unseen: its time limit, and a little for Slack. */
const settledAfterMs = defaultTimeoutMs + 2000;
/** The same after Slack has answered, or hung up. */
const settledAfterAnswerMs = 2000;

/** The end of a step whose welcome is there, which is recorded in the same commit, whoever holds the run by then. */
export function sentWelcome(
  context: StepContext,
  key: WelcomeKey,
  { channelId, messageTs }: SentWelcome,
): Written<SentWelcome> {
  const sent = { kind: 'sent', channelId, messageTs, now: context.now() } as const;
  return withWrite({ channelId, messageTs }, (transaction) => settleWelcome(transaction, key, sent));
}

/**
 * Posts the welcome: records the attempt, asks Slack, and records what became of it. `previous` is the row that was
 * judged before; where somebody else has changed it since, nothing is posted.
 */
export async function postWelcome(
  context: StepContext,
  slack: WebClient,
  key: WelcomeKey,
  { channelId, previous }: { channelId: string | null; previous: WelcomeRow | undefined },
): Promise<Written<SentWelcome> | StepEnd> {
  const { database } = context.services;
  const message = messageOf(context);
  const now = context.now();
  const begun = { runId: context.runId, channelId, now, settledBy: now + settledAfterMs, previous };
  context.signal.throwIfAborted();
  const isOurs = await database.write((transaction) => beginWelcome(transaction, key, begun));
  if (!isOurs) return retryIn(1000);
  try {
    const posted = await slack.chat.postMessage({ channel: channelId ?? context.userId, ...message });
    const { channel, ts } = posted;
    if (!channel || !ts) throw new Error('Slack’s answer to the welcome names no message');
    return sentWelcome(context, key, { channelId: channel, messageTs: ts });
  } catch (error) {
    await settleFailure(context, key, begun, error);
    throw error;
  }
}

/** Leaves the record so that the next attempt knows whether it must look first. */
async function settleFailure(
  context: StepContext,
  key: WelcomeKey,
  begun: { runId: string; now: number; settledBy: number },
  error: unknown,
): Promise<void> {
  const failure = slackFailure(error);
  // Without an answer the call may still take effect, as the record says already.
  if (failure === undefined || failure.code === 'timeout') return;
  const settledBy = Math.min(begun.settledBy, context.now() + settledAfterAnswerMs);
  await context.services.database.write((transaction) =>
    settleWelcome(
      transaction,
      key,
      failure.mayHaveActed ? { kind: 'in-doubt', begun, settledBy } : { kind: 'not-sent', begun },
    ),
  );
}

function messageOf(context: StepContext) {
  const { config, brand, texts, claimUrl } = context.services;
  const { installationId, life, userId } = context;
  const profile = context.output(fetchProfile);
  const teamId = context.workspaceId ?? context.teamId;
  return {
    ...welcomeMessage({
      words: texts.forLocale(profile?.user?.locale),
      brand,
      userId: context.userId,
      personName: profile?.user?.callName ?? null,
      placeName: profile?.team?.name ?? context.teamName ?? context.enterpriseName,
      links: openInSlack(config, { appId: context.appId, teamId }),
      claimUrl: context.connection ? undefined : claimUrl?.({ installationId, life, userId }),
    }),
    metadata: {
      event_type: welcomeEventType,
      event_payload: {
        run_id: context.runId,
        installation_id: context.installationId,
        life: context.life,
      },
    },
  };
}
