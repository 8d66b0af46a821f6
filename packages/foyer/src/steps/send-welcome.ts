import type { WebClient } from '@slack/web-api';
import type { WelcomeRow } from '../database/records.ts';
import { readWelcome, settleWelcome, type WelcomeKey } from '../database/welcomes.ts';
import {
  type ActingStep,
  retryIn,
  type StepContext,
  type StepEnd,
  skip,
  unconfirmed,
  type Written,
  waitFor,
} from '../pipeline/step.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { findWelcome } from './find-welcome.ts';
import { postWelcome, type SentWelcome, sentWelcome } from './post-welcome.ts';
import { skipWithoutBot } from './skip-without-bot.ts';

/**
 * Sends the installer one welcome DM per life of the installation (invariant 3).
 *
 * Safe to run twice: the attempt is committed before Slack is asked, and only one can be under way. One that ended
 * without telling is looked for in the DM's history before anything is sent again; where nobody can look, the welcome
 * stays unconfirmed, and only a person sends it again.
 */
export const sendWelcome: ActingStep<SentWelcome> = {
  name: 'send-welcome',
  title: { todo: 'Send the welcome message', doing: 'Sending the welcome message' },
  required: false,
  timeLimitMs: 40_000,
  maxAttempts: 15,
  unneeded: skipWithoutBot,
  async run(context) {
    const { database } = context.services;
    const key = { installationId: context.installationId, life: context.life, userId: context.userId };
    const previous = await readWelcome(database.queries, key);
    if (previous?.status === 'sent') return alreadySent(context, previous);
    if (context.isEnterpriseInstall && context.workspaceIds.length === 0)
      return waitFor('team_access_granted');
    try {
      return await settleOrSend(context, key, previous);
    } catch (error) {
      // The workspaces that let the app in are not the installer's: perhaps the next one is.
      const isShutOut = slackFailure(error)?.code === 'team_access_not_granted';
      if (context.isEnterpriseInstall && isShutOut) return waitFor('team_access_granted');
      throw error;
    }
  },
};

async function settleOrSend(
  context: StepContext,
  key: WelcomeKey,
  previous: WelcomeRow | undefined,
): Promise<Written<SentWelcome> | StepEnd> {
  const slack = await context.slack();
  const channelId = previous?.channel_id ?? (await openDirectMessage(context, slack));
  if (previous) {
    const settled = await settleDoubt(context, slack, key, { ...previous, channel_id: channelId });
    if (settled) return settled;
  }
  return postWelcome(context, slack, key, { channelId, previous });
}

/** This run may have sent it and died before it could say so. */
function alreadySent(context: StepContext, welcome: WelcomeRow): SentWelcome | StepEnd {
  const { run_id: runId, channel_id: channelId, message_ts: messageTs } = welcome;
  if (runId === context.runId && channelId !== null && messageTs !== null) return { channelId, messageTs };
  return skip('already_sent', 'This person has had the welcome of this install');
}

/** Null where a DM cannot be opened: a message to the person's id needs no open one. */
async function openDirectMessage(context: StepContext, slack: WebClient): Promise<string | null> {
  if (!context.botScopes?.includes('im:write')) return null;
  const place = context.workspaceId === null ? {} : { team_id: context.workspaceId };
  try {
    const opened = await slack.conversations.open({ users: context.userId, ...place });
    return opened.channel?.id ?? null;
  } catch (error) {
    if (slackFailure(error)?.code === 'missing_scope') return null;
    throw error;
  }
}

/** Looks for a welcome whose sending ended without telling. Undefined: it is not there, and may be sent. */
async function settleDoubt(
  context: StepContext,
  slack: WebClient,
  key: WelcomeKey,
  welcome: WelcomeRow,
): Promise<Written<SentWelcome> | StepEnd | undefined> {
  // Another run that this one has replaced may still be sending it.
  const restMs = welcome.status === 'sending' ? (welcome.sent_at ?? 0) - context.now() : 0;
  const search = await findWelcome(slack, context.services.database, {
    key,
    welcome,
    botScopes: context.botScopes ?? [],
    mayStillArrive: restMs > 0,
  });
  if (search.kind === 'found') {
    context.log.info('the welcome of an earlier attempt was found');
    return sentWelcome(context, key, search);
  }
  if (restMs > 0) return retryIn(Math.min(restMs, 1000));
  if (search.kind === 'absent') return undefined;
  await context.services.database.write((transaction) =>
    settleWelcome(transaction, key, { kind: 'unconfirmed' }),
  );
  return unconfirmed(search.code, 'The welcome may have arrived, and its DM cannot be searched');
}
