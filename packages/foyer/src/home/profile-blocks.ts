import type { ImageElement, KnownBlock } from '@slack/types';
import { escapeMrkdwn } from '../slack/escape-mrkdwn.ts';
import { context, fields, header, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';

/** The viewer's own profile as stored: no one else is ever shown it. */
export function profileBlocks({ viewer, app, words }: HomeContent): KnownBlock[] {
  const { profile } = viewer;
  // A caller's mix-up must not show one person's email to another.
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
