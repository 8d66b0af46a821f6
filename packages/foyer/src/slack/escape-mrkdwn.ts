/**
 * Why more than Slack's three entities: strangers write team names, people's names and error messages, and these stand
 * in the middle of Foyer's sentences. They must not ping a channel (`<!channel>`), become a link, turn the rest of
 * the line bold, start a quote, draw an emoji (`:tada:`) or reverse the reading direction.
 * (docs.slack.dev/messaging/formatting-message-text#escaping)
 *
 * Slack links bare addresses unless the text object says `verbatim: true`: set that too.
 */

/** The characters that mrkdwn reads as markup, and the look-alike that replaces each. */
const lookAlikes: readonly (readonly [RegExp, string])[] = [
  [/\*/g, '∗'],
  [/~/g, '∼'],
  [/`/g, 'ˋ'],
  // Slack reads no mark inside a word, so `missing_scope` stays as it is.
  [/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, 'ˍ'],
  [/:(?=[\w+'-]+:)/g, '∶'],
  // Slack reads even an escaped `>` at the start of a line as a quote.
  [/^>+/, '›'],
];

/** Directional overrides, embeddings, isolates and marks, and invisible characters. */
const unseen = /[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Keeps whole characters while their `written` forms fit into `atMost` UTF-16 units; an ellipsis marks a cut. */
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

/** Words, numbers and names such as `users:read.email`. Most texts match, and they need no change. */
const plain = /^[A-Za-z0-9’]+(?:(?:[.,;]? |[./-])[A-Za-z0-9’]+)*$/;
const plainName = /^[a-z0-9]+(?:[.:_-][a-z0-9]+)*$/;

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

/** Writes a name such as a scope or an error code in mrkdwn's code style; `atMost` counts the two marks. */
export function mrkdwnCode(name: string, atMost = 200): string {
  if (name.length <= atMost - 2 && plainName.test(name)) return `\`${name}\``;
  const text = cut(oneLine(name).replaceAll('`', 'ˋ'), atMost - 2, escaped);
  return `\`${text === '' ? '-' : text}\``;
}

/** Prepares a text from outside for a `plain_text` object, which has no markup: one line, no hidden directions. */
export function plainLine(text: string, atMost: number): string {
  if (text.length <= atMost && plain.test(text)) return text;
  return cut(oneLine(text), atMost, (character) => character);
}

/** Builds a mrkdwn link. Both the address and the label must come from Foyer or its configuration. */
export function mrkdwnLink(url: string, label: string): string {
  const address = new URL(url).href.replaceAll('|', '%7C').replace(/[&<>]/g, escaped);
  return `<${address}|${escapeMrkdwn(label)}>`;
}
