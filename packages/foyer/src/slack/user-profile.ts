import type { WebClient } from '@slack/web-api';
import { visibleText, visibleValue } from './visible-text.ts';

/** A person as `users.info` describes them. */
export type SlackUser = NonNullable<Awaited<ReturnType<WebClient['users']['info']>>['user']>;

/** The stored profile of a person. A value is absent if it was not granted, not given, or shows nothing. */
export interface SlackProfile {
  name: string | null;
  realName: string | null;
  email: string | null;
  timezone: string | null;
  locale: string | null;
  avatarUrl: string | null;
}

/** Reads a person's profile. (docs.slack.dev/reference/objects/user-object) */
export function slackProfile(user: SlackUser | undefined): SlackProfile {
  const { profile } = user ?? {};
  const pictures = [profile?.image_192, profile?.image_512, profile?.image_72];
  return {
    name: visibleText(user?.name),
    realName: visibleText(profile?.real_name) ?? visibleText(user?.real_name),
    email: user?.is_email_confirmed === false ? null : visibleValue(profile?.email),
    timezone: visibleValue(user?.tz),
    locale: visibleValue(user?.locale),
    avatarUrl: pictures.map((url) => visibleValue(url)).find((url) => url !== null) ?? null,
  };
}
