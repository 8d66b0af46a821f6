import type { WebClient } from '@slack/web-api';
import type { Config } from '../config/config.ts';

/**
 * Makes strangers' text safe. `visibleText` and `slackProfile` clean the text that Foyer gets from Slack, `plainName`
 * prepares a name for Foyer's own sentences, and `escapeMrkdwn` and the functions after it prepare text for a message.
 * The links to Slack are at the end.
 */

/** Slack limits a name to 255 characters. Foyer enforces it too: Postgres cannot index a row of more than 2.7 kB. */
const mostOfName = 255;
/** Slack's picture URLs and email addresses are shorter than this. */
const mostOfValue = 2000;

/**
 * Cleans a name or another short text from Slack for storage and display: removes control characters (Postgres refuses
 * U+0000) and surrounding blanks, and cuts it to 255 UTF-16 units. Returns null if nothing visible is left.
 */
export function visibleText(value: unknown): string | null {
  const text = visibleValue(value, Number.POSITIVE_INFINITY);
  if (text === null || text.length <= mostOfName) return text;
  // The cut must not leave half of a character.
  return `${text.slice(0, mostOfName - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Like `visibleText`, for a value that must not be cut, such as an address: returns null if it is too long. */
export function visibleValue(value: unknown, atMost = mostOfValue): string | null {
  if (typeof value !== 'string' || value.length > atMost) return null;
  const text = value
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  // Not visible: blanks, format characters such as zero-width spaces, and what Unicode defines as ignorable or blank.
  return /[^\s\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}]/u.test(text)
    ? text
    : null;
}

/** Splits Slack's list of scopes at commas and white space; drops duplicates. */
export function scopesIn(value: unknown): string[] {
  const texts = Array.isArray(value) ? value : [value];
  const scopes = texts.flatMap((text) => (typeof text === 'string' ? text.split(/[\s,]+/) : []));
  return [...new Set(scopes.filter((scope) => scope !== ''))];
}

/** Characters that change the reading direction, and control characters: names contain them only to deceive. */
const deceptive = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

const longest = 80;

/**
 * Makes a name from Slack safe inside one of Foyer's sentences: removes characters that reverse the text around it,
 * limits it to 80 characters, and encloses it in Unicode isolates if it contains right-to-left letters. Returns
 * `fallback` if nothing is left.
 */
export function plainName(name: string | null, fallback: string): string {
  const characters = [...(name ?? '').replace(deceptive, ' ').replace(/\s+/g, ' ').trim()];
  if (characters.length === 0) return fallback;
  const text =
    characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : characters.join('');
  return rightToLeft.test(text) ? `\u2068${text}\u2069` : text;
}

/** A person as `users.info` describes them. */
export type SlackUser = NonNullable<Awaited<ReturnType<WebClient['users']['info']>>['user']>;

/**
 * The stored profile of a person. A value is null if Slack did not give it, or it cannot be used: it is invisible, too
 * long, or an email address that is not confirmed.
 */
export type SlackProfile = {
  /** Slack's `name` for them, such as `grace`. */
  name: string | null;
  realName: string | null;
  email: string | null;
  timezone: string | null;
  locale: string | null;
  avatarUrl: string | null;
};

/** The profile of a person about whom Slack said nothing. */
export const blankProfile: SlackProfile = {
  name: null,
  realName: null,
  email: null,
  timezone: null,
  locale: null,
  avatarUrl: null,
};

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

/**
 * Why it is not enough to escape `&`, `<` and `>`, as Slack asks: strangers write team names, people's names and error
 * messages, and Foyer puts these texts into its own sentences. Such a text must not ping a channel (`<!channel>`),
 * become a link, turn the rest of the line bold, start a quote, draw an emoji (`:tada:`) or reverse the reading
 * direction.
 * (docs.slack.dev/messaging/formatting-message-text#escaping)
 *
 * In addition, set `verbatim: true` in the text object: otherwise, Slack turns bare addresses into links.
 */

/** The characters that mrkdwn reads as markup, and the look-alike that replaces each. */
const lookAlikes: readonly (readonly [RegExp, string])[] = [
  [/\*/g, '∗'],
  [/~/g, '∼'],
  [/`/g, 'ˋ'],
  // Slack does not read `_` inside a word as markup, so `missing_scope` stays unchanged.
  [/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, 'ˍ'],
  [/:(?=[\w+'-]+:)/g, '∶'],
  // Slack reads even an escaped `>` at the start of a line as a quote.
  [/^>+/, '›'],
];

/** Directional overrides, embeddings, isolates and marks, and invisible characters. */
const unseen = /[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Converts each character with the function `written`. If the result is longer than `atMost` UTF-16 units, cuts it
 * between two characters and marks the cut with an ellipsis.
 */
function cut(text: string, atMost: number, written: (character: string) => string): string {
  let whole = '';
  let shortened = '';
  for (const character of text) {
    const next = whole + written(character);
    if (next.length > atMost) return `${shortened.trimEnd()}…`.slice(0, Math.max(atMost, 0));
    whole = next;
    if (whole.length < atMost) shortened = whole;
  }
  return whole;
}

/**
 * Most texts need no change. `plain` matches texts that consist of words and numbers; `plainCode` matches names like
 * `users:read.email`.
 */
const plain = /^[A-Za-z0-9’]+(?:(?:[.,;]? |[./-])[A-Za-z0-9’]+)*$/;
const plainCode = /^[a-z0-9]+(?:[.:_-][a-z0-9]+)*$/;

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(unseen, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

const escaped = (character: string): string => entities[character] ?? character;

/**
 * Turns a text from outside into one harmless line of mrkdwn, at most `atMost` UTF-16 units long (as Slack counts its
 * limits), never cut within an entity or a character.
 */
export function escapeMrkdwn(text: string, atMost = 2000): string {
  if (text.length <= atMost && plain.test(text)) return text;
  let harmless = oneLine(text);
  for (const [mark, lookAlike] of lookAlikes) harmless = harmless.replace(mark, lookAlike);
  return cut(harmless, atMost, escaped);
}

/** Writes a name such as a scope or an error code in mrkdwn's code style; `atMost` includes the two backquotes. */
export function mrkdwnCode(name: string, atMost = 200): string {
  if (name.length <= atMost - 2 && plainCode.test(name)) return `\`${name}\``;
  const text = cut(oneLine(name).replaceAll('`', 'ˋ'), atMost - 2, escaped);
  return `\`${text === '' ? '-' : text}\``;
}

/**
 * Prepares a text from outside for a `plain_text` object, which has no markup: one line, without invisible characters
 * that change the reading direction.
 */
export function plainLine(text: string, atMost: number): string {
  if (text.length <= atMost && plain.test(text)) return text;
  return cut(oneLine(text), atMost, (character) => character);
}

/** Builds a mrkdwn link. Both the address and the label must come from Foyer or its configuration. */
export function mrkdwnLink(url: string, label: string): string {
  const address = new URL(url).href.replaceAll('|', '%7C').replace(/[&<>]/g, escaped);
  return `<${address}|${escapeMrkdwn(label)}>`;
}

/** Where "Open in Slack" leads. */
export interface OpenInSlack {
  /**
   * Opens Slack's desktop or phone app at the App Home (docs.slack.dev/interactivity/deep-linking). Null for the
   * sandbox, which has no such app.
   */
  desktopUrl: string | null;
  /** Opens the App Home in a browser. The link has the same host as Slack's authorization page. */
  webUrl: string;
}

/**
 * Builds the two links to the app's Home tab. Without a team (org-wide), Slack asks for the workspace; without an app
 * id, the desktop link only opens Slack.
 */
export function openInSlack(
  config: Pick<Config, 'slack'>,
  app: { appId: string | null; teamId: string | null },
): OpenInSlack {
  const web = new URL('/app_redirect', config.slack.authorizationUrl);
  const desktop = new URLSearchParams();
  if (app.teamId !== null) {
    desktop.set('team', app.teamId);
    web.searchParams.set('team', app.teamId);
  }
  if (app.appId !== null) {
    desktop.set('id', app.appId);
    desktop.set('tab', 'home');
    web.searchParams.set('app', app.appId);
  }
  const desktopUrl = app.appId === null ? 'slack://open' : `slack://app?${desktop}`;
  return { desktopUrl: config.slack.isSandbox ? null : desktopUrl, webUrl: web.href };
}
