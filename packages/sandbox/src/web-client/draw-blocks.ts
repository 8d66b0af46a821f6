import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { Message, type MessageProps } from 'slack-blocks-to-jsx';
import { isRecord } from '../blocks/fault-list.ts';
import { type Html, html, trustedHtml } from '../http/html.ts';
import type { Block } from '../world/records.ts';
import { drawControl, isDrawnHere } from './draw-controls.ts';
import { onlySlackMarkup } from './only-slack-markup.ts';
import { formatSlackDate, type Reader } from './slack-date.ts';

/** Blocks that slack-blocks-to-jsx draws. For any other block, the page shows its name and its JSON. */
const drawable = new Set(
  'section header divider image actions context input rich_text markdown video file table context_actions'.split(
    ' ',
  ),
);

/**
 * Draws blocks as Slack would. A button becomes `<button data-action>`, and any other control becomes a native one. For
 * a block that it cannot draw, shows the block's name and its JSON.
 */
export function drawBlocks(blocks: readonly Block[], reader: Reader): Html {
  return html`<div class="blocks">${blocks.map((block) => drawBlock(block, reader))}</div>`;
}

/** Draws a message's text, with Slack's own markup. */
export function drawText(text: string, reader: Reader): Html {
  return withLibrary({ type: 'section', text: { type: 'mrkdwn', text } }, reader);
}

function drawBlock(block: Block, reader: Reader): Html {
  if (!drawable.has(block.type)) return cannotDraw(`a block of type ${block.type}`, block);
  const { rest, controls } = takeControls(block);
  const isEmptied = block.type === 'actions' && Array.isArray(rest.elements) && rest.elements.length === 0;
  const label = block.type === 'input' ? block.label : undefined;
  const isQuiet = block.type === 'input' && block.dispatch_action !== true;
  return html`<div class="block block-${block.type}" data-block="${String(block.block_id ?? '')}" ${isQuiet ? html`data-quiet` : null}>
    ${isEmptied || block.type === 'input' ? null : withLibrary(rest, reader)}
    ${isRecord(label) ? html`<p class="input-label">${String(label.text)}</p>` : null}
    ${controls.length > 0 ? html`<div class="controls">${controls.map((control) => drawControl(control, reader))}</div>` : null}
    <script type="application/json" class="elements">${trustedHtml(asScript(buttonsOf(block)))}</script>
  </div>`;
}

/**
 * Splits a block into the part that the library draws and the controls that must work without the library's JavaScript.
 */
function takeControls(block: Block): { rest: Block; controls: Record<string, unknown>[] } {
  const controls: Record<string, unknown>[] = [];
  const keep = (element: unknown): boolean => {
    if (!isRecord(element) || !isDrawnHere(element)) return true;
    controls.push(element);
    return false;
  };
  const rest: Block = { ...block };
  if (rest.accessory !== undefined && !keep(rest.accessory)) delete rest.accessory;
  if (rest.element !== undefined && !keep(rest.element)) delete rest.element;
  if (rest.type === 'actions' && Array.isArray(rest.elements)) rest.elements = rest.elements.filter(keep);
  return { rest, controls };
}

/** The links and confirmation dialogs of a block's buttons, by action id. The page's script uses them. */
function buttonsOf(block: Block): Record<string, { url?: unknown; confirm?: unknown }> {
  const elements = [block.accessory, ...(Array.isArray(block.elements) ? block.elements : [])].filter(
    isRecord,
  );
  const buttons = elements.filter(
    (element) => element.type === 'button' || element.type === 'workflow_button',
  );
  return Object.fromEntries(
    buttons.map(({ action_id, url, confirm }) => [String(action_id), { url, confirm }]),
  );
}

/** JSON that cannot close the script element around it. */
function asScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function withLibrary(block: Block, reader: Reader): Html {
  const props: MessageProps = {
    blocks: [onlySlackMarkup(block)] as unknown as MessageProps['blocks'], // checked by checkBlocks when it was published
    logo: '',
    name: '',
    theme: 'light',
    withoutWrapper: true,
    data: { users: reader.names, channels: reader.channels, user_groups: [] },
    hooks: {
      date: ({ timestamp, format, link }) => {
        const text = formatSlackDate(Number(timestamp), format, reader);
        return link ? createElement('a', { href: link, className: 'slack_link' }, text) : text;
      },
    },
  };
  try {
    const markup = withoutIds(renderToStaticMarkup(createElement(Message, props)));
    const isEmpty = markup.replace(/<(?!img|button)[^>]*>/g, '').trim() === '';
    return isEmpty && block.type !== 'divider'
      ? cannotDraw(`this ${block.type} block`, block)
      : trustedHtml(markup);
  } catch (error) {
    return cannotDraw(
      `this ${block.type} block (${error instanceof Error ? error.message : 'unknown error'})`,
      block,
    );
  }
}

/**
 * Removes element ids: the library gives every message the same id, and uses action ids as ids. A page with several
 * messages would repeat these ids. Also removes the library's theme, since the page itself handles dark mode.
 */
function withoutIds(markup: string): string {
  return markup
    .replace(/<button type="button" id="([^"]*)"/g, '<button type="button" data-action="$1"')
    .replace(/ id="[^"]*"/g, '')
    .replaceAll(' data-theme="light"', '')
    .replace(/<link rel="preload"[^>]*>/g, '');
}

function cannotDraw(what: string, value: unknown): Html {
  return html`<div class="undrawn" role="note"><strong>The sandbox cannot draw ${what}.</strong>
    <details><summary>Its JSON</summary><pre>${JSON.stringify(value, null, 2)}</pre></details></div>`;
}
