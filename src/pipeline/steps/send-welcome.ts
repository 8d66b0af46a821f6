import type { WebClient } from '@slack/web-api';
import { beginWelcome } from '../../database/begin-welcome.ts';
import { readWelcome, type WelcomeKey } from '../../database/read-welcome.ts';
import type { WelcomeRow } from '../../database/records.ts';
import { settleWelcome } from '../../database/settle-welcome.ts';
import { openInSlack } from '../../slack/open-in-slack.ts';
import { slackFailure } from '../../slack/slack-failure.ts';
import { findWelcome } from '../find-welcome.ts';
import {
  lookAgainIn,
  type Step,
  type StepContext,
  type StepEnd,
  skip,
  unconfirmed,
  waitFor,
} from '../step.ts';
import { welcomeMessage } from '../welcome-message.ts';
import { fetchProfile } from './fetch-profile.ts';

/** Where the welcome is. */
export type SentWelcome = {
  channelId: string;
  messageTs: string;
};

/** How long the call may take, and how long after its start it can no longer take effect unseen. */
const callMs = 8000;
const settledAfterMs = 10_000;
/** The same after Slack has answered, or hung up. */
const settledAfterAnswerMs = 2000;

/**
 * Sends the installer one welcome DM per life of the installation (invariant 3).
 *
 * Safe to run twice: the attempt is committed before Slack is asked, and only one can be under way. One that ended
 * without telling is looked for in the DM's history before anything is sent again; where nobody can look, the welcome
 * stays unconfirmed, and only a person sends it again.
 */
export const sendWelcome: Step<SentWelcome> = {
  name: 'send-welcome',
  required: false,
  timeLimitMs: 40_000,
  maxAttempts: 15,
  async run(context) {
    if (context.botScopes === null) return skip('no_bot', 'This install gave the app no bot');
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
): Promise<SentWelcome | StepEnd> {
  const slack = await context.slack({ timeoutMs: callMs });
  const channelId = previous?.channel_id ?? (await openDirectMessage(context, slack));
  if (previous) {
    const settled = await settleDoubt(context, slack, key, { ...previous, channel_id: channelId });
    if (settled) return settled;
  }
  return send(context, slack, key, { channelId, previous });
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
): Promise<SentWelcome | StepEnd | undefined> {
  const { database } = context.services;
  const search = await findWelcome(slack, { key, welcome, botScopes: context.botScopes ?? [] });
  if (search.kind === 'found') {
    const { channelId, messageTs } = search;
    await database.write((transaction) =>
      settleWelcome(transaction, key, { kind: 'sent', channelId, messageTs, now: context.now() }),
    );
    context.log.info('the welcome of an earlier attempt was found');
    return { channelId, messageTs };
  }
  // Whoever sends it may still be at it, such as a run that this one has replaced.
  const restMs = (welcome.sent_at ?? 0) - context.now();
  if (restMs > 0) return lookAgainIn(Math.min(restMs, 1000));
  if (search.kind === 'absent') return undefined;
  await database.write((transaction) => settleWelcome(transaction, key, { kind: 'unconfirmed' }));
  return unconfirmed(search.code, 'The welcome may have arrived, and its DM cannot be searched');
}

async function send(
  context: StepContext,
  slack: WebClient,
  key: WelcomeKey,
  { channelId, previous }: { channelId: string | null; previous: WelcomeRow | undefined },
): Promise<SentWelcome | StepEnd> {
  const { database } = context.services;
  const message = messageOf(context);
  const now = context.now();
  const begun = { runId: context.runId, channelId, now, settledBy: now + settledAfterMs, previous };
  context.signal.throwIfAborted();
  if (!(await database.write((transaction) => beginWelcome(transaction, key, begun))))
    return lookAgainIn(1000);
  try {
    const posted = await slack.chat.postMessage({ channel: channelId ?? context.userId, ...message });
    const { channel, ts } = posted;
    if (!channel || !ts) throw new Error('Slack’s answer to the welcome names no message');
    await database.write((transaction) =>
      settleWelcome(transaction, key, {
        kind: 'sent',
        channelId: channel,
        messageTs: ts,
        now: context.now(),
      }),
    );
    return { channelId: channel, messageTs: ts };
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
  const { config } = context.services;
  const profile = context.output(fetchProfile);
  const teamId = context.workspaceId ?? context.teamId;
  return {
    ...welcomeMessage({
      appName: config.app.name,
      userId: context.userId,
      personName: profile?.user?.name ?? profile?.user?.realName ?? null,
      placeName: profile?.team?.name ?? context.teamName ?? context.enterpriseName,
      links: openInSlack(config, { appId: context.appId, teamId }),
      supportUrl: config.supportUrl,
      privacyUrl: config.privacyUrl,
    }),
    metadata: {
      event_type: 'foyer_welcome',
      event_payload: {
        run_id: context.runId,
        installation_id: context.installationId,
        life: context.life,
      },
    },
  };
}
