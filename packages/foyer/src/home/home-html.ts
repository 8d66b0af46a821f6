import type { Button, KnownBlock } from '@slack/types';
import { type Html, type HtmlValue, html } from '../http/html.ts';

/**
 * Draws App Home as part of a web page, from the same blocks that Slack shows, so that both have the same words and
 * buttons. Supports the blocks that the install record uses. Omits what works only in Slack: inputs, and buttons of the
 * app's own sections, unless they are links.
 */

/** The person for whom Foyer draws the page, and where the page's buttons lead. */
export interface HomeReader {
  /** Such as `de`. */
  language: string;
  /** Such as `Europe/Berlin`; if null, the page shows UTC. */
  timezone: string | null;
  /** Returns the name of a mentioned person; undefined if it is unknown. */
  nameOf(userId: string): string | undefined;
  /** The action ids whose buttons the page can handle. */
  actions: ReadonlySet<string>;
  /** The path to which the page sends forms, and the hidden value that proves that a form comes from this page. */
  path: string;
  csrfToken: string;
}

/** Draws blocks; each divider starts a new card. */
export function homeHtml(blocks: readonly KnownBlock[], reader: HomeReader): Html {
  const cards: Html[][] = [[]];
  for (const block of blocks) {
    if (block.type === 'divider') cards.push([]);
    else cards.at(-1)?.push(drawn(block, reader));
  }
  return html`${cards.filter((card) => card.length > 0).map((card) => html`<section class="card record">${card}</section>`)}`;
}

function drawn(block: KnownBlock, reader: HomeReader): Html {
  switch (block.type) {
    case 'header':
      return html`<h2>${block.text.text}</h2>`;
    case 'section': {
      const { text, fields = [], accessory } = block;
      return html`${text && text.text !== '' && lines(text, reader)}
${fields.length > 0 && html`<div class="facts">${fields.map((field) => html`<div>${lines(field, reader)}</div>`)}</div>`}
${accessory?.type === 'image' && 'image_url' in accessory && accessory.image_url.startsWith('https:') && html`<img class="avatar" src="${accessory.image_url}" alt="${accessory.alt_text}" width="72" height="72">`}
${accessory?.type === 'button' && html`<p class="actions">${buttonHtml(accessory, reader)}</p>`}`;
    }
    case 'context':
      return html`${block.elements.map((element) => element.type !== 'image' && html`<div class="small">${lines(element, reader)}</div>`)}`;
    case 'actions': {
      const buttons = block.elements.filter((element) => element.type === 'button');
      return html`<div class="actions">${buttons.map((element) => buttonHtml(element, reader))}</div>`;
    }
    default:
      return html``;
  }
}

/**
 * Builds a button: if it has an address, a link; otherwise a form that sends the button's action and value. The form
 * asks for confirmation if Slack would. Returns undefined if the page cannot handle the button.
 */
function buttonHtml(button: Button, { actions, path, csrfToken }: HomeReader): Html | undefined {
  const { url, text, action_id: action = '', value = '', confirm, style } = button;
  const look = style === 'primary' ? 'button' : 'button-quiet';
  if (url !== undefined) return html`<a class="${look}" href="${url}">${text.text}</a>`;
  if (!actions.has(action)) return undefined;
  const form = (label: string): Html =>
    html`<form method="post" action="${path}"><input type="hidden" name="csrf" value="${csrfToken}"><input type="hidden" name="action" value="${action}"><input type="hidden" name="value" value="${value}"><button class="${look}">${label}</button></form>`;
  if (!confirm) return form(text.text);
  return html`<details class="confirm"><summary>${text.text}</summary><p>${confirm.text.text}</p>${form(confirm.confirm?.text ?? text.text)}</details>`;
}

interface SlackText {
  type: string;
  text: string;
}

/** Builds a paragraph for each line of a text, and a quote for each line that Slack draws as a quote. */
function lines({ type, text }: SlackText, reader: HomeReader): Html {
  const paragraphs = text.split('\n').map((line) => {
    if (type !== 'mrkdwn') return html`<p>${line}</p>`;
    const [, quoted] = /^(?:&gt;|>)\s?(.*)$/.exec(line) ?? [];
    return quoted === undefined
      ? html`<p>${inline(line, reader)}</p>`
      : html`<blockquote><p>${inline(quoted, reader)}</p></blockquote>`;
  });
  return html`${paragraphs}`;
}

const marks =
  /<([^<>\n]*)>|`([^`\n]+)`|(?<![\p{L}\p{N}*])\*([^*\n]+)\*(?![\p{L}\p{N}*])|(?<![\p{L}\p{N}_])_([^_\n]+)_(?![\p{L}\p{N}_])/gu;

/** Turns mrkdwn into HTML (docs.slack.dev/messaging/formatting-message-text). */
function inline(text: string, reader: HomeReader): Html {
  const parts: HtmlValue[] = [];
  let last = 0;
  for (const match of text.matchAll(marks)) {
    const [whole, special, code, bold, italic] = match;
    parts.push(decoded(text.slice(last, match.index)));
    if (special !== undefined) parts.push(reference(special, reader));
    else if (code !== undefined) parts.push(html`<code translate="no">${decoded(code)}</code>`);
    else if (bold !== undefined) parts.push(html`<strong>${inline(bold, reader)}</strong>`);
    else if (italic !== undefined) parts.push(html`<em>${inline(italic, reader)}</em>`);
    last = match.index + whole.length;
  }
  parts.push(decoded(text.slice(last)));
  return html`${parts}`;
}

/** Builds the HTML for an mrkdwn expression in angle brackets: a person, a time or a link. */
function reference(special: string, reader: HomeReader): Html {
  const [target = '', label] = special.split('|');
  const [, userId] = /^@([UW][A-Z0-9]+)$/.exec(target) ?? [];
  if (userId !== undefined) return html`<bdi translate="no">${reader.nameOf(userId) ?? userId}</bdi>`;
  const [, seconds, format = ''] = /^!date\^(\d+)\^([^^]*)/.exec(target) ?? [];
  if (seconds !== undefined) return time(Number(seconds) * 1000, format, reader);
  if (/^(?:https?:\/\/|mailto:)/i.test(target))
    return html`<a href="${decoded(target)}">${decoded(label ?? target)}</a>`;
  return html`${decoded(label ?? target)}`;
}

function time(at: number, format: string, { language, timezone }: HomeReader): Html {
  const dateStyle = format.includes('date_long') ? 'long' : 'medium';
  const timeZone = zone(timezone);
  const shown = new Intl.DateTimeFormat(language, {
    dateStyle,
    timeStyle: 'short',
    timeZone,
  }).format(at);
  const text = timeZone === 'UTC' ? `${shown} UTC` : shown;
  return html`<time datetime="${new Date(at).toISOString()}">${text}</time>`;
}

/** Returns the time zone if this Node supports it, otherwise UTC. Slack uses the IANA names. */
function zone(timezone: string | null): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timezone ?? 'UTC' }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}

function decoded(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
