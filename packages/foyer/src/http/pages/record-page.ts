import { type Html, html } from '../html.ts';
import { appTile } from './marks.ts';
import { noIndex, page } from './page.ts';
import type { PageFrame } from './site.ts';

/** What the page shows to a person who signed in. */
export interface RecordPageContent extends PageFrame {
  /** Who signed in. */
  person: string;
  record: Html;
  /** The path to which the forms are sent. */
  path: string;
  /** The hidden value that proves that a form was sent from one of Foyer's own pages. */
  csrfToken: string;
}

/**
 * Builds `GET /` for a person who signed in: who they are, the install record, and buttons to export or erase their
 * data. A whole HTML document.
 */
export function recordPage(content: RecordPageContent): string {
  const { site, words, person, record } = content;
  const { name: app } = site.brand;
  const main = html`<main class="records">
  <div class="signed-in">
    ${appTile(site)}
    <h1>${app}</h1>
    <p class="small">${words.text('record.signedIn', { person })}</p>
    <form method="post" action="${site.path('/slack/signout')}"><button class="button-quiet">${words.text('record.signOut')}</button></form>
  </div>
  ${record}
  <section class="card record">
    <h2>${words.text('record.data')}</h2>
    <p>${words.text('record.data.what', { app })}</p>
    ${form(content, 'export', words.text('record.data.export'))}
    <details class="confirm"><summary>${words.text('record.data.erase')}</summary>
      <p>${words.text('record.data.erase.what', { app })}</p>
      ${form(content, 'erase', words.text('record.data.erase'))}</details>
  </section>
</main>`;
  return page({ ...content, title: app, head: noIndex, main });
}

function form({ path, csrfToken }: RecordPageContent, action: string, label: string): Html {
  return html`<form method="post" action="${path}"><input type="hidden" name="csrf" value="${csrfToken}"><input type="hidden" name="action" value="${action}"><button class="button-quiet">${label}</button></form>`;
}
