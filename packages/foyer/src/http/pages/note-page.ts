import { type Html, html } from '../html.ts';
import { joinedMarks } from './marks.ts';
import { page } from './page.ts';
import type { PageFrame } from './site.ts';

/** A page that only confirms something, with one link or button. */
interface NotePageContent extends PageFrame {
  heading: string;
  what: string;
  action: Html;
}

/** Builds a short page: a whole HTML document. */
export function notePage({ site, words, nonce, heading, what, action }: NotePageContent): string {
  return page({
    site,
    words,
    nonce,
    title: heading,
    head: html`<meta name="robots" content="noindex">`,
    main: html`<main class="single">
  ${joinedMarks(site)}
  <h1>${heading}</h1>
  <p>${what}</p>
  <p class="actions">${action}</p>
</main>`,
  });
}
