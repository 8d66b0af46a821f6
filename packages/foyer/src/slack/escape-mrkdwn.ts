/**
 * Why more than Slack's three entities: a team name, a person's name or an error message is written by strangers, and
 * it stands in the middle of our own sentences. It must not ping a channel (`<!channel>`), become a link, turn the
 * rest of the line bold, start a quote, draw a picture (`:tada:`) or reverse the reading direction.
 * (docs.slack.dev/messaging/formatting-message-text#escaping)
 *
 * Bare addresses are linked by Slack itself unless the text object says `verbatim: true`: set it beside this.
 */

/** What mrkdwn would read as a mark, and the look-alike that it leaves alone. */
const lookAlikes: readonly (readonly [RegExp, string])[] = [
  [/\*/g, '∗'],
  [/~/g, '∼'],
  [/`/g, 'ˋ'],
  // Slack reads no mark in mid-word, so `missing_scope` stays what it is.
  [/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, 'ˍ'],
  [/:(?=[\w+'-]+:)/g, '∶'],
  // Slack reads an escaped `>` at the start of a line as a quote all the same.
  [/^>+/, '›'],
];

/** Directional overrides, embeddings, isolates and marks; and what is there but never seen. */
const unseen = /[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Keeps whole characters while their `written` forms fit into `atMost` UTF-16 units; an ellipsis tells of a cut. */
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

/** Words, numbers and names such as `users:read.email`: most texts are, and nothing in them needs a change. */
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
 * A text from outside as one harmless line of mrkdwn, at most `atMost` UTF-16 units long (as Slack counts its limits),
 * never cut within an entity or a character.
 */
export function escapeMrkdwn(text: string, atMost = 2000): string {
  if (text.length <= atMost && plain.test(text)) return text;
  let harmless = oneLine(text);
  for (const [mark, lookAlike] of lookAlikes) harmless = harmless.replace(mark, lookAlike);
  return cut(harmless, atMost, escaped);
}

/** A name such as a scope or an error code in mrkdwn's code style; `atMost` counts the two marks. */
export function mrkdwnCode(name: string, atMost = 200): string {
  if (name.length <= atMost - 2 && plainName.test(name)) return `\`${name}\``;
  const text = cut(oneLine(name).replaceAll('`', 'ˋ'), atMost - 2, escaped);
  return `\`${text === '' ? '-' : text}\``;
}

/** A text from outside for a `plain_text` object, where nothing is a mark: one line, no hidden directions. */
export function plainLine(text: string, atMost: number): string {
  if (text.length <= atMost && plain.test(text)) return text;
  return cut(oneLine(text), atMost, (character) => character);
}

/** A link in mrkdwn to an address of our own configuration, with a label of our own. */
export function mrkdwnLink(url: string, label: string): string {
  const address = new URL(url).href.replaceAll('|', '%7C').replace(/[&<>]/g, escaped);
  return `<${address}|${escapeMrkdwn(label)}>`;
}
