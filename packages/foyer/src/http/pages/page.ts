import { elementSource, type Html, html, renderHtml } from '../html.ts';
import { iconData } from './marks.ts';
import type { PageFrame, Site } from './site.ts';
import { styles } from './styles.ts';
import { themeStyles } from './theme.ts';

/** The parts that differ from page to page. */
interface PageParts extends PageFrame {
  title: string;
  /** Additional elements for the head, such as a refresh for browsers without scripts. */
  head?: Html;
  main: Html;
  /** A small line at the end, such as a reference that a reader can quote when asking for help. */
  reference?: Html;
  /** The source of an inline script; always a constant. */
  script?: string;
  /**
   * Whether to omit the footer. It contains the reference, and links to the website, the privacy policy and support.
   */
  withoutFooter?: boolean;
}

function footer({ site, words, reference, withoutFooter }: PageParts): Html {
  if (withoutFooter) return html``;
  const { privacyUrl, supportUrl, siteUrl, publisher } = site.brand;
  const links = [
    siteUrl !== null && html`<li><a href="${siteUrl}">${publisher}</a></li>`,
    privacyUrl !== null && html`<li><a href="${privacyUrl}">${words.text('page.privacy')}</a></li>`,
    supportUrl !== null && html`<li><a href="${supportUrl}">${words.text('page.support')}</a></li>`,
  ].filter((link) => link !== false);
  if (links.length === 0 && !reference) return html``;
  return html`<footer>${links.length > 0 && html`<ul role="list">${links}</ul>`}${reference}</footer>`;
}

/** Builds the icons: the logo if there is one, otherwise a letter on a tile in the brand's color. */
function icons(site: Site): Html {
  const logo = site.path('/brand/logo');
  return site.logoType === undefined
    ? html`<link rel="icon" href="data:image/svg+xml,${iconData(site)}">`
    : html`<link rel="icon" type="${site.logoType}" href="${logo}"><link rel="apple-touch-icon" href="${logo}">`;
}

/** For the head of a page that search engines must not list. */
export const noIndex = html`<meta name="robots" content="noindex">`;

/** Builds the frame of every page: a whole HTML document that loads no style and no script from any address. */
export function page(parts: PageParts): string {
  const { site, words, nonce } = parts;
  const { name } = site.brand;
  const title = parts.title.includes(name) ? parts.title : `${parts.title} · ${name}`;
  return renderHtml(html`<!doctype html>
<html lang="${words.language}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="${site.theme.tile}">
<title>${title}</title>
${parts.head}
${icons(site)}
<style nonce="${nonce}">${elementSource(themeStyles(site.theme) + styles)}</style>
</head>
<body>
${parts.main}
${footer(parts)}
${parts.script !== undefined && html`<script nonce="${nonce}">${elementSource(parts.script)}</script>`}
</body>
</html>
`);
}
