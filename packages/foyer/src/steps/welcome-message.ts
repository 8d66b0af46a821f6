import type { Button, KnownBlock } from '@slack/types';
import { homeActions } from '../home/may-act.ts';
import { escapeMrkdwn, mrkdwnLink } from '../slack/escape-mrkdwn.ts';
import type { OpenInSlack } from '../slack/open-in-slack.ts';

/** What the welcome tells of. Names come from outside, and are made harmless here. */
export interface WelcomeContent {
  appName: string;
  userId: string;
  /** Null where Slack did not tell: then the person is mentioned instead. */
  personName: string | null;
  placeName: string | null;
  links: OpenInSlack;
  /** Where this person connects the workspace with an account; undefined if it is connected, or connecting is off. */
  claimUrl?: string;
  supportUrl: string | undefined;
  privacyUrl: string | undefined;
}

/** Slack tells of a press on a link button too; it only wants to be acknowledged. */
export const openHomeActionId = 'foyer.open_home';

/** The welcome DM: a greeting, what to do next, and where to get help. `text` is what a notification shows. */
export function welcomeMessage(content: WelcomeContent) {
  const app = escapeMrkdwn(content.appName, 80);
  const person = content.personName === null ? `<@${content.userId}>` : escapeMrkdwn(content.personName, 100);
  const place = content.placeName === null ? '' : ` in *${escapeMrkdwn(content.placeName, 100)}*`;
  const greeting = `Hi ${person}, *${app}* is installed${place}. Thank you for letting it in!`;
  const blocks: KnownBlock[] = [
    section(greeting),
    section(
      [
        '*What to do next*',
        `1. *Open Home.* It shows who installed ${app}, when, and how every step of the set-up went.`,
        '2. *Look at its permissions.* Each one is listed there in plain words, and so is what it was not given.',
        '3. *Come back when something changes.* Home is kept up to date, and offers to try again what failed.',
      ].join('\n'),
    ),
    ...(content.claimUrl === undefined
      ? []
      : [
          section(
            '*One step is left.* Connect this workspace with your account. The button works for an hour; after that Home has a new one.',
          ),
        ]),
    actions(content),
    {
      type: 'context',
      elements: [{ type: 'mrkdwn', text: footer(content), verbatim: true }],
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

function actions({ links, claimUrl }: WelcomeContent): KnownBlock {
  const button = (text: string, action_id: string, url: string, isPrimary: boolean): Button => ({
    type: 'button',
    ...(isPrimary && { style: 'primary' }),
    text: { type: 'plain_text', text },
    action_id,
    url,
  });
  const isUnconnected = claimUrl !== undefined;
  return {
    type: 'actions',
    elements: [
      ...(isUnconnected ? [button('Finish connecting', homeActions.finishConnecting, claimUrl, true)] : []),
      button('Open Home', openHomeActionId, links.desktopUrl, !isUnconnected),
    ],
  };
}

function footer({ appName, links, supportUrl, privacyUrl }: WelcomeContent): string {
  const parts = [mrkdwnLink(links.webUrl, 'Open Home in a browser')];
  if (supportUrl !== undefined) parts.push(mrkdwnLink(supportUrl, 'Get help'));
  if (privacyUrl !== undefined) parts.push(mrkdwnLink(privacyUrl, 'Privacy'));
  const why = `You alone get this message, because you installed ${escapeMrkdwn(appName, 80)}.`;
  return [why, parts.join(' · ')].join('\n');
}
