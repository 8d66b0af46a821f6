import type { ImageElement, KnownBlock } from '@slack/types';
import type { HistoryRecord } from '../database/history.ts';
import type { InstallRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode, mrkdwnLink } from '../slack/escape-mrkdwn.ts';
import type { Words } from '../texts/create-texts.ts';
import { context, fields, header, lines, mention, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { mayAct } from './may-act.ts';
import { accountBlocks, permissionBlocks } from './permission-blocks.ts';
import { questionBlocks } from './question-blocks.ts';
import { setupBlocks } from './setup-blocks.ts';
import { statusBlocks } from './status-blocks.ts';

/** How many lines of history are shown. */
export const historyShown = 10;

const divider: KnownBlock = { type: 'divider' };

/**
 * Draws the install record for one person in App Home: in full for the installer and the admins, in short for members.
 * The same content always gives the same blocks, within Slack's limits for any content
 * (docs.slack.dev/reference/views/home-tab-views): a list that is cut ends with a line that says so.
 */
export function homeBlocks(content: HomeContent): KnownBlock[] {
  const {
    record,
    history,
    words,
    question,
    app: { name: app },
  } = content;
  const place = record.isEnterpriseInstall ? record.enterpriseName : record.teamName;
  const shownApp = escapeMrkdwn(app, 80);
  const isInFull = mayAct(record, content.viewer);
  const historyBlocks = (): KnownBlock[] =>
    history.length === 0
      ? []
      : [header(words.text('home.history')), ...lines(historyLines(words, history, historyShown))];
  const groups: KnownBlock[][] = [
    [header(place ? words.text('home.title', { app, place }) : app), ...statusBlocks(content)],
    accountBlocks(content),
    isInFull && question
      ? questionBlocks(words, words.text('home.question.intro', { app: shownApp }), question)
      : [],
    isInFull || hasProblem(record) ? setupBlocks(content) : [],
    permissionBlocks(content),
    profileBlocks(content),
    isInFull ? historyBlocks() : [],
    footer(content),
  ];
  return groups
    .filter((group) => group.length > 0)
    .flatMap((group, index) => (index === 0 ? group : [divider, ...group]));
}

/** Returns whether a member also sees the setup, and whom to ask. */
function hasProblem({ run }: InstallRecord): boolean {
  return run?.steps.some(({ status }) => status === 'failed' || status === 'unconfirmed') ?? false;
}

function footer({ record, viewer, words, supportUrl, privacyUrl }: HomeContent): KnownBlock[] {
  const parts = [words.text('home.times')];
  if (supportUrl !== null) parts.push(mrkdwnLink(supportUrl, words.text('home.help')));
  if (privacyUrl !== null) parts.push(mrkdwnLink(privacyUrl, words.text('page.privacy')));
  if (record.run && mayAct(record, viewer)) {
    parts.push(words.text('home.reference', { id: mrkdwnCode(record.run.id, 80) }));
  }
  return [context(parts.join('  ·  '))];
}

/**
 * Lists the history in the order given, at most `most` lines, with a line that says so if there is more. The detail of
 * an entry is for operators: only the command line shows it.
 */
function historyLines(words: Words, history: readonly HistoryRecord[], most: number): string[] {
  const texts = history.slice(0, most).map(({ at, kind, userId }) => {
    const who = userId === null ? 'none' : mention(userId);
    return `${slackDate(at)} · ${words.text(`home.history.${kind}`, { who })}`;
  });
  return history.length > most ? [...texts, `_${words.text('home.history.older')}_`] : texts;
}

/** Shows the viewer's own stored profile: no one else ever sees it. */
function profileBlocks({ viewer, app, words }: HomeContent): KnownBlock[] {
  const { profile } = viewer;
  // A caller's mistake must not show one person's email to another.
  if (profile === undefined || profile.userId !== viewer.userId) return [];
  const given = [
    [words.text('home.you.name'), profile.realName ?? profile.name],
    [words.text('home.you.email'), profile.email],
    [words.text('home.you.timeZone'), profile.timezone?.replaceAll('_', ' ') ?? null],
  ] as const;
  const pairs = given.flatMap(([label, value]) => {
    const text = value === null ? '' : escapeMrkdwn(value, 300);
    return text === '' ? [] : [[label, text] as const];
  });
  if (pairs.length === 0) return [];
  const time = slackDate(profile.firstSeenAt);
  return [
    header(words.text('home.you')),
    fields(pairs, picture(profile.avatarUrl, words.text('home.you.picture'))),
    context(words.text('home.you.kept', { app: escapeMrkdwn(app.name, 80), time })),
  ];
}

function picture(url: string | null, alt: string): ImageElement | undefined {
  if (url === null || url.length > 3000 || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  return { type: 'image', image_url: url, alt_text: alt };
}
