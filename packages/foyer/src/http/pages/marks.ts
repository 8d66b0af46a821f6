import { type Html, html, renderHtml } from '../html.ts';
import type { Site } from './site.ts';

/**
 * Slack's logo: one petal and one bar, rotated four times. Screen readers skip it, because the text next to it names
 * Slack.
 */
export const slackMark: Html = html`<svg class="slack-mark" viewBox="0 0 122.8 122.8" aria-hidden="true" focusable="false">${[
  ['#e01e5a', 0],
  ['#36c5f0', 90],
  ['#2eb67d', 180],
  ['#ecb22e', 270],
].map(
  ([colour, degrees]) =>
    html`<path fill="${colour}" transform="rotate(${degrees} 61.4 61.4)" d="M25.8 64.7v12.9a12.9 12.9 0 1 1-12.9-12.9zM32.3 77.6a12.9 12.9 0 0 1 25.8 0v32.3a12.9 12.9 0 0 1-25.8 0z"/>`,
)}</svg>`;

// It takes 13 ms to create the segmenter, so Foyer creates it for the first page, not when the module loads. For each
// later page, it takes 7 µs to find the letter.
let letters: Intl.Segmenter | undefined;

/** Returns the first letter of the app's name, which pages show if the app has no logo. */
function appInitial(appName: string): string {
  letters ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  const [first] = letters.segment(appName.toWellFormed().trim());
  return (first?.segment ?? '•').toUpperCase();
}

/** Builds the app's tile: its logo, or its first letter on a background in the brand's color. */
export function appTile(site: Site): Html {
  return site.logoType === undefined
    ? html`<span class="tile tile-app">${appInitial(site.brand.name)}</span>`
    : html`<span class="tile"><img src="${site.path('/brand/logo')}" alt="" width="52" height="52"></span>`;
}

/**
 * Builds the top of most pages: the app's tile and Slack's tile, with a symbol between them. The `data-tone` of an
 * enclosing element decides whether the symbol is dots, a tick or an exclamation mark.
 */
export function joinedMarks(site: Site): Html {
  return html`<div class="marks" aria-hidden="true">
    ${appTile(site)}
    <span class="join"><i></i><i></i><i></i><b></b></span>
    <span class="tile tile-slack">${slackMark}</span>
  </div>`;
}

/** Returns the page's icon, with the tile's letter and colors: a data URL without its `data:image/svg+xml,`. */
export function iconData({ brand, theme }: Site): string {
  const letter = html`${appInitial(brand.name)}`;
  return encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${theme.tile}"/><text x="16" y="22.5" font-family="system-ui,sans-serif" font-size="18" font-weight="700" text-anchor="middle" fill="${theme.onTile}">${renderHtml(letter)}</text></svg>`,
  );
}
