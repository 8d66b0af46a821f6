import { isRecord } from '../blocks/fault-list.ts';

/**
 * Returns a copy of a block in which only Slack's own markup has an effect.
 *
 * Why: slack-blocks-to-jsx reads every text as Markdown with HTML in it. `&lt;script&gt;` and lines that start with `#`
 * vanish, and a `plain_text` with stars turns bold. In the copy, character references replace the characters that would
 * act as Markdown or HTML, so the library shows them as plain text, as Slack does. The copy has no `verbatim`, because
 * the library draws no formatting in a text with `verbatim`. Slack does format such a text, but does not turn its bare
 * URLs and names into links.
 */
export function onlySlackMarkup<T>(block: T): T {
  const json = JSON.stringify(block, (_key, part: unknown) => {
    if (!isRecord(part) || typeof part.text !== 'string') return part;
    if (part.type === 'mrkdwn') return { ...part, verbatim: undefined, text: withoutHtml(part.text) };
    return part.type === 'plain_text' ? { ...part, text: withoutMarks(part.text) } : part;
  });
  return JSON.parse(json) as T; // the same shape, except for texts and `verbatim`
}

function withoutHtml(text: string): string {
  return text.replaceAll('&lt;', '&#60;').replace(/^#/gm, '&#35;');
}

/** Emoji like `:wave:` stay: Slack draws them in plain text too. */
function withoutMarks(text: string): string {
  return text.replace(/:[\w+'-]+:|[*~`<>#_&]/g, (part) =>
    part.length > 1 ? part : `&#${part.charCodeAt(0)};`,
  );
}
