import type { Page, PageCursor, PagePosition } from '../../database/page.ts';
import { type Html, html } from '../../http/html.ts';
import { inWords } from './shown-values.ts';

/** The filters of a list, as in the query of its URL. A filter that is not set matches all rows. */
export type ListFilters = Readonly<Record<string, string | undefined>>;

/**
 * Reads the query of a list's URL, which says where the page begins: `?older=<time>.<id>` or `?newer=…`. Undefined
 * means the first page.
 */
export function cursorOf(query: URLSearchParams): PageCursor | undefined {
  for (const towards of ['older', 'newer'] as const) {
    const [, at, id] = /^(\d{1,15})\.([\w-]{1,100})$/.exec(query.get(towards) ?? '') ?? [];
    if (at !== undefined && id !== undefined) return { towards, at: Number(at), id };
  }
  return undefined;
}

function listAddress(path: string, filters: ListFilters, more: Record<string, string> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filters, ...more })) if (value) query.set(name, value);
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Builds the links to the newer and the older page; undefined if there is only one page. */
export function pager(path: string, filters: ListFilters, page: Page<unknown>): Html | undefined {
  if (!page.newer && !page.older) return undefined;
  const link = (towards: 'newer' | 'older', position: PagePosition | null, label: string, rel: string) =>
    position
      ? html`<a class="page-link" rel="${rel}" href="${listAddress(path, filters, { [towards]: `${position.at}.${position.id}` })}">${label}</a>`
      : html`<span class="page-link" aria-disabled="true">${label}</span>`;
  return html`<nav class="pager" aria-label="Pages">
  ${link('newer', page.newer, '← Newer', 'prev')}
  ${page.newer && html`<a class="page-first" href="${listAddress(path, filters)}">First page</a>`}
  ${link('older', page.older, 'Older →', 'next')}
</nav>`;
}

/** Builds a select field with the option `all` and one option for each value. */
export function choice(
  name: string,
  label: string,
  values: readonly string[],
  chosen: string | undefined,
): Html {
  const option = (value: string) =>
    html`<option value="${value}"${value === chosen && html` selected`}>${inWords(value)}</option>`;
  return html`<label class="field"><span>${label}</span><select name="${name}"><option value="">all</option>${values.map(option)}</select></label>`;
}
