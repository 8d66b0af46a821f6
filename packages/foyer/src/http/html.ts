import { escape as escapeText } from 'html-escaper';

/**
 * Why a tagged template: escaping must be the default. Only markup that this file created is not escaped. Such markup
 * is marked with a symbol, since a value from parsed JSON cannot contain a symbol.
 */

const markup = Symbol('markup');

/** Markup that `html` or `elementSource` created. */
export interface Html {
  readonly [markup]: string;
}

/** The values that a template accepts. `false`, `null` and `undefined` render nothing; arrays are joined. */
export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[];

function isHtml(value: HtmlValue): value is Html {
  return typeof value === 'object' && value !== null && markup in value;
}

function render(value: HtmlValue): string {
  if (value === false || value === null || value === undefined) return '';
  if (isHtml(value)) return value[markup];
  if (typeof value === 'object') return value.map(render).join('');
  return escapeText(String(value));
}

const linkable = /^(?:https?:\/\/|mailto:|slack:\/\/|\/(?![/\\]))/i;

/** Returns the URL if a page may link to it (http, https, mailto, slack, or a path on this host), otherwise `#`. */
function safeUrl(value: HtmlValue): string {
  const url = typeof value === 'string' ? value : '';
  return linkable.test(url) && !hasControl(url) ? url : '#';
}

/**
 * Whether a text has control characters. Browsers ignore tabs and line breaks inside a URL, so these could hide a
 * scheme.
 */
function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}

/**
 * Builds markup. Escapes every value that is not markup. A value at the start of `href`, `src`, `action` or
 * `formaction` must also be a URL that `safeUrl` allows; otherwise, `#` replaces the value.
 * @throws Error if a template puts a value into an unquoted attribute, which escaping cannot make safe
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) {
    if (/=\s*$/.test(strings[index] ?? '') && /<[^>]*$/.test(text)) {
      throw new Error('a template puts a value into an unquoted attribute');
    }
    const inUrl = /\s(?:href|src|action|formaction)="$/i.test(strings[index] ?? '');
    text += render(inUrl ? safeUrl(value) : value) + (strings[index + 1] ?? '');
  }
  return { [markup]: text };
}

/**
 * Builds the content of a `<style>` or `<script>` element, where browsers do not decode entities. Use it only for
 * constants: it does not escape anything, and refuses only a text that contains `</style`, `</script` or `<!--`.
 */
export function elementSource(source: string): Html {
  if (/<\/(?:style|script)|<!--/i.test(source))
    throw new Error('the text would end its element (<style> or <script>)');
  return { [markup]: source };
}

/** Returns the finished markup as text. */
export function renderHtml(document: Html): string {
  return render(document);
}

/**
 * Adds the base path to every local address in a finished page. This matches only attributes, since `html` has escaped
 * all quotation marks in text.
 */
export function withBasePath(page: string, basePath: string): string {
  return basePath === ''
    ? page
    : page.replace(/(?<=\s(?:href|src|action|formaction)=")(?=\/(?!\/))/g, () => basePath);
}
