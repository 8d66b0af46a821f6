import type { Button, KnownBlock } from '@slack/types';
import { homeActions } from '../home/may-act.ts';
import type { Brand } from '../http/brand.ts';
import { escapeMrkdwn, mrkdwnLink, plainLine } from '../slack/escape-mrkdwn.ts';
import type { OpenInSlack } from '../slack/open-in-slack.ts';
import type { Words } from '../texts/create-texts.ts';

/** What the welcome says. Names come from outside, and are escaped here. */
export interface WelcomeContent {
  words: Words;
  brand: Pick<Brand, 'name' | 'tagline' | 'supportUrl' | 'privacyUrl'>;
  userId: string;
  /** Null if Slack gave none: then the person is mentioned instead. */
  personName: string | null;
  placeName: string | null;
  links: OpenInSlack;
  /** Where this person connects the workspace with an account; undefined if it is connected, or connecting is off. */
  claimUrl?: string;
}

/** Slack sends a press of a link button too; it only needs to be acknowledged. */
export const openHomeActionId = 'foyer.open_home';

/**
 * The welcome DM: what the app is for, one first action, one button. `text` is what a notification shows. Everything
 * else about the install is in Home.
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

/** The web address opens the desktop app if there is one, and works without it. */
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
