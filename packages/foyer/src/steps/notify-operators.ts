import { registeredTeamId } from '../database/install-record.ts';
import { beginRunNotice, recordChannelState, settleNotice } from '../database/notices.ts';
import type { NoticeStatus } from '../database/records.ts';
import { openOperatorChannels } from '../notices/open-operator-channels.ts';
import {
  channelWorks,
  notifyStepName,
  type OperatorChannel,
  type SendOutcome,
  statusAfter,
} from '../notices/operator-channel.ts';
import { type OperatorMessage, troubleLine } from '../notices/operator-message.ts';
import {
  type ActingStep,
  retryIn,
  type StepContext,
  type StepEnd,
  StepError,
  skip,
  unconfirmed,
} from '../pipeline/step.ts';
import { fetchProfile, registerTeam, registerUser } from './register.ts';

/** The channels through which the operators were notified. */
type NotifiedOperators = { notified: true; channels: string[] };

/**
 * Notifies the operators of the install, by incoming webhook and by mail if they are configured: who installed where,
 * whether team and person are new, and what failed.
 *
 * What may happen when the step runs twice: each channel has a row with its state, committed before and after the send.
 * So a channel that was notified is never notified again, and one that fails does not block the other. If a process
 * dies between the two commits, it is unknown whether the message was sent. Foyer then does not repeat the webhook
 * message, which stays unconfirmed; Foyer sends the mail again under the same Message-ID, so that people can recognize
 * a duplicate. If a server stops answering midway, Foyer treats the send in the same way. If a person retries the step,
 * Foyer sends everything that is not known to have been sent.
 */
export const notifyOperators: ActingStep<NotifiedOperators> = {
  name: notifyStepName,
  title: { todo: 'Notify the operators', doing: 'Notifying the operators' },
  forOperators: true,
  required: false,
  timeLimitMs: 30_000,
  // Twelve attempts take about seven minutes. Some mail servers defer the mail of an unknown sender, and accept it
  // after five minutes.
  maxAttempts: 12,
  unneeded({ services }) {
    const { slackWebhookUrl, mail } = services.config.notify;
    return slackWebhookUrl || mail
      ? undefined
      : skip('not_configured', 'No notification channel is configured');
  },
  async run(context) {
    const channels = await openOperatorChannels(context.services.config.notify);
    try {
      const outcomes = await Promise.all(channels.map((channel) => tell(context, channel)));
      const names = channels.map(({ name }) => name);
      return endOf(outcomes, names);
    } finally {
      for (const channel of channels) channel.close();
    }
  },
};

async function tell(context: StepContext, channel: OperatorChannel): Promise<SendOutcome> {
  const { runId, installationId, userId, log, now, services } = context;
  const key = { cause_id: runId, channel: channel.name };
  const notice = { runId, stepName: notifyOperators.name, channel: channel.name, installationId, userId };
  const stood = await services.database.write((transaction) =>
    beginRunNotice(transaction, { ...notice, now: now() }),
  );
  const settled = settledBefore(stood, channel);
  if (settled && stood !== 'sending') return settled;
  const outcome = settled ?? (await channel.send(installNotice(context), runId, context.signal));
  const errorCode = 'code' in outcome ? outcome.code : null;
  log.info(
    { channel: channel.name, outcome: outcome.kind, code: errorCode ?? undefined },
    'notified the operators',
  );
  const works = settled ? undefined : channelWorks(outcome, context.attempt);
  await services.database.write(async (transaction) => {
    const end = { status: statusAfter(outcome), errorCode, dueAt: null, now: now() };
    await settleNotice(transaction, key, end);
    if (works === undefined) return;
    const state = {
      clientId: context.clientId,
      channel: channel.name,
      works,
      installationId,
      errorCode,
      now: now(),
    };
    await recordChannelState(transaction, state);
  });
  return outcome;
}

/** Returns the outcome of an earlier attempt at this channel; undefined if the message must be sent now. */
function settledBefore(stood: NoticeStatus, channel: OperatorChannel): SendOutcome | undefined {
  switch (stood) {
    case 'sent':
      return { kind: 'sent' };
    case 'failed':
      return {
        kind: 'failed',
        code: 'refused_before',
        message: `The ${channel.name} refused this notice permanently`,
      };
    case 'unconfirmed':
      return unknownOutcome(channel);
    case 'sending':
      return channel.repeatable ? undefined : unknownOutcome(channel);
    case 'pending':
      return undefined;
  }
}

function unknownOutcome(channel: OperatorChannel): SendOutcome {
  const message = `The ${channel.name} did not answer; the message may have arrived`;
  return { kind: 'unconfirmed', code: 'no_answer', message };
}

/**
 * Returns the result of the step, or throws the step's error. If the channels' outcomes differ, the first of these
 * counts: `wait`, `retry`, `failed`, `unconfirmed`. If no channel has one of these outcomes, the step has succeeded.
 */
function endOf(outcomes: readonly SendOutcome[], channels: string[]): NotifiedOperators | StepEnd {
  const wait = outcomes.find((outcome) => outcome.kind === 'wait');
  if (wait) return retryIn(wait.delayMs, { code: 'rate_limited', message: 'The webhook asked us to wait' });
  for (const kind of ['retry', 'failed'] as const) {
    for (const outcome of outcomes) {
      if (outcome.kind === kind)
        throw new StepError(outcome.code, outcome.message, { final: kind === 'failed' });
    }
  }
  for (const outcome of outcomes) {
    if (outcome.kind === 'unconfirmed') return unconfirmed(outcome.code, outcome.message);
  }
  return { notified: true, channels };
}

/** Builds the message to operators about an install. */
function installNotice(context: StepContext): OperatorMessage {
  const profile = context.output(fetchProfile);
  const appName = context.services.config.app.name;
  const placeId = registeredTeamId(context);
  const place = profile?.team?.name ?? context.teamName ?? context.enterpriseName ?? placeId;
  const person = profile?.user?.realName ?? profile?.user?.name ?? context.userId;
  const team = newOrKnown(context.output(registerTeam));
  const user = newOrKnown(context.output(registerUser)).toLowerCase();
  const troubles = context.earlierSteps.filter(
    ({ status }) => status === 'failed' || status === 'unconfirmed',
  );
  const failed = troubles.some(({ status }) => status === 'failed') ? ', and a step failed' : '';
  return {
    subject: `[${appName}] ${person} installed the app in ${place} (${team.toLowerCase()} team, ${user} user${failed})`,
    lines: [
      [
        { bold: person },
        ' installed ',
        { name: appName },
        ' in ',
        { bold: place },
        context.isEnterpriseInstall ? ' (org-wide).' : '.',
      ],
      [
        `${team} ${context.isEnterpriseInstall ? 'organization' : 'team'} `,
        { code: placeId },
        ` · ${user} user `,
        { code: context.userId },
        ' · run ',
        { code: context.runId },
      ],
      ...troubles.slice(0, 15).map(troubleLine),
    ],
  };
}

function newOrKnown(registered: { created: boolean } | null): string {
  if (registered === null) return 'Unregistered';
  return registered.created ? 'New' : 'Known';
}
