import type {
  Button,
  ContextBlock,
  HeaderBlock,
  KnownBlock,
  MrkdwnElement,
  PlainTextElement,
  SectionBlock,
} from '@slack/types';
import { escapeMrkdwn, plainLine } from '../slack/slack-text.ts';

/**
 * The few Block Kit shapes that App Home uses, each within Slack's limits (docs.slack.dev/reference/block-kit). Callers
 * must pass only harmless mrkdwn: escaped with `outside` or `escapeMrkdwn`, or from the app's own texts.
 */

const sectionTextMost = 3000;
const fieldTextMost = 2000;

/** Builds mrkdwn to which Slack adds no links, so that a web address in a name stays plain text. */
function mrkdwn(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}

/** Builds plain text, cut to `atMost` characters, because an app may replace one of Foyer's texts with a longer one. */
export function plainElement(text: string, atMost: number): PlainTextElement {
  return { type: 'plain_text', text: plainLine(text, atMost) || '-' };
}

/** Builds a heading, cut to Slack's limit of 150 characters. */
export function header(text: string): HeaderBlock {
  return { type: 'header', text: { type: 'plain_text', text: plainLine(text, 150) || '-', emoji: false } };
}

/** Builds a paragraph, optionally with a button or a picture on its right. */
export function section(text: string, accessory?: SectionBlock['accessory']): SectionBlock {
  return { type: 'section', text: mrkdwn(text), ...(accessory && { accessory }) };
}

/** Builds pairs of a label and a value in two columns; uses at most the first ten pairs. */
export function fields(
  pairs: readonly (readonly [label: string, value: string])[],
  accessory?: SectionBlock['accessory'],
): SectionBlock {
  const texts = pairs.slice(0, 10).map(([label, value]) => mrkdwn(`*${label}*\n${value}`));
  if (texts.some(({ text }) => text.length > fieldTextMost)) throw new RangeError('a field is too long');
  return { type: 'section', fields: texts, ...(accessory && { accessory }) };
}

/** Builds small gray text; uses at most the first ten texts. */
export function context(...texts: string[]): ContextBlock {
  return { type: 'context', elements: texts.slice(0, 10).map(mrkdwn) };
}

/** Builds a list from as few sections as possible, without splitting a line. Each line must fit into a section. */
export function lines(texts: readonly string[]): KnownBlock[] {
  const packed: string[] = [];
  for (const text of texts) {
    const joined = packed.length === 0 ? text : `${packed.at(-1)}\n${text}`;
    if (packed.length > 0 && joined.length <= sectionTextMost) packed[packed.length - 1] = joined;
    else packed.push(text);
  }
  return packed.map((text) => section(text));
}

/** Builds a button. If it has a `url`, a press opens that address, and Slack still sends the `actionId`. */
export function button(
  label: string,
  actionId: string,
  more: Pick<Button, 'url' | 'value' | 'style' | 'confirm'>,
): Button {
  return { type: 'button', text: plainElement(label, 75), action_id: actionId, ...more };
}

/**
 * Builds a mention: Slack shows the person's name, and does not notify the person. If `userId` is not an id, returns it
 * as plain text.
 */
export function mention(userId: string): string {
  return /^[UW][A-Z0-9]{1,30}$/.test(userId) ? `<@${userId}>` : outside(userId, 80);
}

/** Builds a time that Slack shows in the reader's time zone and language. A client that cannot do that shows UTC. */
export function slackDate(at: number, style: 'long' | 'short' = 'short'): string {
  const inUtc = `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<!date^${Math.floor(at / 1000)}^{date_${style}_pretty}, {time}|${inUtc}>`;
}

/** Turns a text from outside into one harmless line. Replaces email addresses, since an error may quote them. */
export function outside(text: string, atMost: number): string {
  const words = text.split(/(\s+)/).map((word) => {
    const at = word.indexOf('@');
    return at >= 0 && word.indexOf('.', at) > at ? '(an address)' : word;
  });
  return escapeMrkdwn(words.join(''), atMost);
}
