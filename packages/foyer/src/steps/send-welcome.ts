import type { Button, KnownBlock } from '@slack/types';
import { readOnceMessage } from '../database/once-messages.ts';
import type { OnceMessageRow } from '../database/records.ts';
import { homeActions } from '../home/viewer.ts';
import type { Brand } from '../http/brand.ts';
import { sendOnce } from '../pipeline/send-once.ts';
import {
  type ActingStep,
  type PostedMessage,
  type StepContext,
  type StepEnd,
  skip,
  waitFor,
} from '../pipeline/step.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { escapeMrkdwn, mrkdwnLink, type OpenInSlack, openInSlack, plainLine } from '../slack/slack-text.ts';
import type { Words } from '../texts/create-texts.ts';
import { fetchProfile, skipWithoutBot } from './register.ts';

/**
 * Sends the installer one welcome DM between install and uninstall (invariant 3).
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
      // So far, the installer belongs to none of the workspaces that have granted access. The next workspace that
      // grants access may be one of the installer's.
      const isShutOut = slackFailure(error)?.code === 'team_access_not_granted';
      if (context.isEnterpriseInstall && isShutOut) return waitFor('team_access_granted');
      throw error;
    }
  },
};

/**
 * If this run already sent the welcome, returns that message: the process died after it sent the message and before it
 * committed the end of the step. If another run sent the welcome, skips the step.
 */
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

/** What the welcome says. Names come from outside; `welcomeMessage` escapes them. */
interface WelcomeContent {
  words: Words;
  brand: Pick<Brand, 'name' | 'tagline' | 'supportUrl' | 'privacyUrl'>;
  userId: string;
  /** Null if the name is not known: the message then mentions the person as `<@…>`. */
  personName: string | null;
  placeName: string | null;
  links: OpenInSlack;
  /**
   * Where this person connects the workspace with an account; undefined if the workspace is connected, or connecting is
   * off.
   */
  claimUrl?: string;
}

/** Slack also sends an event when a person presses a link button; Foyer only acknowledges it. */
export const openHomeActionId = 'foyer.open_home';

/**
 * The welcome DM: what the app is for, one first action, and a button (two if the workspace is to be connected). `text`
 * is what a notification shows. Everything else about the install is in Home.
 */
export function welcomeMessage(content: WelcomeContent) {
  const { words, brand } = content;
  const app = escapeMrkdwn(brand.name, 80);
  const person = content.personName === null ? `<@${content.userId}>` : escapeMrkdwn(content.personName, 100);
  const place = content.placeName === null ? 'none' : escapeMrkdwn(content.placeName, 100);
  const greeting = words.text('welcome.greeting', { app, person, place });
  const tagline = escapeMrkdwn(words.app('tagline') ?? brand.tagline, 500);
  const blocks: KnownBlock[] = [
    section(tagline === '' ? greeting : `${greeting}\n${tagline}`),
    section(words.text('welcome.action', { app })),
    ...(content.claimUrl === undefined ? [] : [section(words.text('welcome.connect'))]),
    actions(content),
    {
      type: 'context',
      elements: [{ type: 'mrkdwn', text: footer(content, app), verbatim: true }],
    },
  ];
  return {
    text: greeting.replaceAll('*', ''),
    blocks,
    unfurl_links: false,
    unfurl_media: false,
  };
}

function section(text: string): KnownBlock {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

/**
 * Builds the buttons. The button to Home has the web address, which opens the desktop app if there is one, and also
 * works without that app.
 */
function actions({ words, brand, links, claimUrl }: WelcomeContent): KnownBlock {
  const button = (text: string, action_id: string, url: string, isPrimary: boolean): Button => ({
    type: 'button',
    ...(isPrimary && { style: 'primary' }),
    text: { type: 'plain_text', text: plainLine(text, 75) },
    action_id,
    url,
  });
  const isUnconnected = claimUrl !== undefined;
  return {
    type: 'actions',
    elements: [
      ...(isUnconnected
        ? [button(words.text('connect.finish'), homeActions.finishConnecting, claimUrl, true)]
        : []),
      button(
        words.text('welcome.button', { app: brand.name }),
        openHomeActionId,
        links.webUrl,
        !isUnconnected,
      ),
    ],
  };
}

function footer({ words, brand }: WelcomeContent, app: string): string {
  const parts = [words.text('welcome.why', { app })];
  if (brand.supportUrl !== null) parts.push(mrkdwnLink(brand.supportUrl, words.text('home.help')));
  if (brand.privacyUrl !== null) parts.push(mrkdwnLink(brand.privacyUrl, words.text('page.privacy')));
  return parts.join(' · ');
}
