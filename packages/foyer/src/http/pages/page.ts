import { elementSource, type Html, html, renderHtml } from '../html.ts';
import { iconData } from './marks.ts';
import type { PageFrame, Site } from './site.ts';
import { styles } from './styles.ts';

/** What differs from page to page. */
export interface PageParts extends PageFrame {
  title: string;
  /** More for the head, such as a refresh for browsers without scripts. */
  head?: Html;
  /** The `main` element. */
  main: Html;
  /** A small line at the very end, such as a reference for whoever asks for help. */
  reference?: Html;
  /** The source of an inline script; a constant. */
  script?: string;
}

function footer(site: Site, reference: Html | undefined): Html {
  const links = [
    site.privacyUrl !== undefined && html`<li><a href="${site.privacyUrl}">Privacy</a></li>`,
    site.supportUrl !== undefined && html`<li><a href="${site.supportUrl}">Support</a></li>`,
  ].filter((link) => link !== false);
  if (links.length === 0 && !reference) return html``;
  return html`<footer>${links.length > 0 && html`<ul role="list">${links}</ul>`}${reference}</footer>`;
}

/** The frame of every page: a whole HTML document that loads nothing. */
export function page(parts: PageParts): string {
  const { site, nonce } = parts;
  const title = parts.title.includes(site.appName) ? parts.title : `${parts.title} · ${site.appName}`;
  return renderHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${parts.head}
<link rel="icon" href="data:image/svg+xml,${iconData(site.appName)}">
<style nonce="${nonce}">${elementSource(styles)}</style>
</head>
<body>
${parts.main}
${footer(site, parts.reference)}
${parts.script !== undefined && html`<script nonce="${nonce}">${elementSource(parts.script)}</script>`}
</body>
</html>
`);
}
