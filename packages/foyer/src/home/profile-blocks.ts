import type { ImageElement, KnownBlock } from '@slack/types';
import { escapeMrkdwn } from '../slack/escape-mrkdwn.ts';
import { context, fields, header, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';

/** The viewer's own profile as stored: nobody else is ever shown it. */
export function profileBlocks({ viewer, app }: HomeContent): KnownBlock[] {
  const { profile } = viewer;
  // A caller's mix-up must not show one person's email to another.
  if (profile === undefined || profile.userId !== viewer.userId) return [];
  const given = [
    ['Name', profile.realName ?? profile.name],
    ['Email', profile.email],
    ['Time zone', profile.timezone?.replaceAll('_', ' ') ?? null],
  ] as const;
  const pairs = given.flatMap(([label, value]) => {
    const text = value === null ? '' : escapeMrkdwn(value, 300);
    return text === '' ? [] : [[label, text] as const];
  });
  if (pairs.length === 0) return [];
  const since = slackDate(profile.firstSeenAt);
  return [
    header('You'),
    fields(pairs, picture(profile.avatarUrl)),
    context(`What ${escapeMrkdwn(app.name, 80)} keeps about you, since ${since}. Only you see this part.`),
  ];
}

function picture(url: string | null): ImageElement | undefined {
  if (url === null || url.length > 3000 || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  return { type: 'image', image_url: url, alt_text: 'Your profile picture' };
}
