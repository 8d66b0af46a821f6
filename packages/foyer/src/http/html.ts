import { escape as escapeText } from 'html-escaper';

/**
 * Why a tagged template: escaping must be what happens when nobody thinks of it. Only what `html` itself made passes
 * unescaped, known by a symbol that no parsed JSON can carry.
 */

const markup = Symbol('markup');

/** Markup that `html` made. */
export interface Html {
  readonly [markup]: string;
}

/** What may stand in a template: `false`, `null` and `undefined` leave nothing; arrays join. */
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

/** The URL if a page may link to it (http, https, mailto, slack, or a path on this host), else `#`. */
function safeUrl(value: HtmlValue): string {
  const url = typeof value === 'string' ? value : '';
  return linkable.test(url) && !hasControl(url) ? url : '#';
}

/** Browsers drop tabs and line breaks inside a URL, so they could hide a scheme. */
function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}

/**
 * Builds markup. Every value is escaped unless `html` made it; a value that stands alone in `href`, `src` or `action`
 * must also be a URL that a page may link to.
 * @throws Error where a template puts a value into an unquoted attribute, which no escaping makes safe.
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) {
    if (/=\s*$/.test(strings[index] ?? '') && /<[^>]*$/.test(text)) {
      throw new Error('a template puts a value into an attribute without quotes');
    }
    const inUrl = /\s(?:href|src|action|formaction)="$/i.test(strings[index] ?? '');
    text += render(inUrl ? safeUrl(value) : value) + (strings[index + 1] ?? '');
  }
  return { [markup]: text };
}

/**
 * The content of a `<style>` or `<script>` element, where entities mean nothing. Only for constants of this code: the
 * one thing it refuses is a text that would close the element.
 */
export function elementSource(source: string): Html {
  if (/<\/(?:style|script)|<!--/i.test(source)) throw new Error('the text would end its element');
  return { [markup]: source };
}

/** The finished markup as text. */
export function renderHtml(document: Html): string {
  return render(document);
}

/**
 * Puts the base path before every local address of a finished page. Only attributes match: in text, `html` has made an
 * entity of each quotation mark.
 */
export function withBasePath(page: string, basePath: string): string {
  return basePath === ''
    ? page
    : page.replace(/(?<=\s(?:href|src|action|formaction)=")(?=\/(?!\/))/g, () => basePath);
}
