import { type Html, html } from '../html.ts';
import { joinedMarks } from './marks.ts';
import { noIndex, page } from './page.ts';
import type { PageFrame } from './site.ts';

/** A page that only confirms something, with one link or button. */
interface NotePageContent extends PageFrame {
  heading: string;
  what: string;
  action: Html;
}

/** Builds a short page: a whole HTML document. */
export function notePage({ heading, what, action, ...frame }: NotePageContent): string {
  const main = html`<main class="single">
  ${joinedMarks(frame.site)}
  <h1>${heading}</h1>
  <p>${what}</p>
  <p class="actions">${action}</p>
</main>`;
  return page({ ...frame, title: heading, head: noIndex, main });
}
