import { escape as escapeHtml } from 'html-escaper';

/** Markup that is safe to write into a page unchanged. */
export type Html = { readonly markup: string };

type Part = Html | string | number | null | undefined | false | readonly Part[];

/** A template that escapes its text parts, and inserts markup and lists of markup unchanged. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return { markup: strings.reduce((all, text, index) => all + toMarkup(parts[index - 1]) + text) };
}

/** Marks markup from a trusted source, such as React's renderer, as safe. */
export function trustedHtml(markup: string): Html {
  return { markup };
}

function toMarkup(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return 'markup' in part ? part.markup : part.map(toMarkup).join('');
}
