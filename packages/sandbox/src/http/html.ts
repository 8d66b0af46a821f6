import { escape as escapeHtml } from 'html-escaper';

/** Markup that is safe to write into a page as it is. */
export type Html = { readonly markup: string };

type Part = Html | string | number | null | undefined | false | readonly Part[];

/** A template whose text parts are escaped; markup, and lists of markup, go in as they are. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return { markup: strings.reduce((all, text, index) => all + toMarkup(parts[index - 1]) + text) };
}

/** Takes markup from a trusted maker, such as React's renderer. */
export function trustedHtml(markup: string): Html {
  return { markup };
}

function toMarkup(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return 'markup' in part ? part.markup : part.map(toMarkup).join('');
}
