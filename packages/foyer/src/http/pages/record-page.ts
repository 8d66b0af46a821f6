import { type Html, html } from '../html.ts';
import { appTile } from './marks.ts';
import { page } from './page.ts';
import type { PageFrame } from './site.ts';

/** `GET /` for a person who signed in: who they are, and the install record. A whole HTML document. */
export function recordPage({
  site,
  words,
  nonce,
  person,
  record,
}: PageFrame & { person: string; record: Html }): string {
  const { name: app } = site.brand;
  return page({
    site,
    words,
    nonce,
    title: app,
    head: html`<meta name="robots" content="noindex">`,
    main: html`<main class="records">
  <div class="signed-in">
    ${appTile(site)}
    <h1>${app}</h1>
    <p class="small">${words.text('record.signedIn', { person })}</p>
    <form method="post" action="${site.path('/slack/signout')}"><button class="button-quiet">${words.text('record.signOut')}</button></form>
  </div>
  ${record}
</main>`,
  });
}
