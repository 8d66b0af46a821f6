import { type Html, html } from '../html.ts';
import {
  type FailureContext,
  type FailureKind,
  failureButtons,
  failurePages,
  failureWords,
} from './failure-texts.ts';
import { joinedMarks } from './marks.ts';
import { noIndex, page } from './page.ts';
import type { PageFrame } from './site.ts';

export interface FailurePageContent extends PageFrame, Omit<FailureContext, 'app'> {
  kind: FailureKind;
  /** Slack's or Foyer's error code. The page shows it in small print if it says more than the kind. */
  code?: string;
  /** The id of the install request, which is also in the log and in the operators' list. */
  requestId?: string;
  /** Where the button that starts the install again leads; `/slack/install` by default. */
  retryPath?: string;
  /** The path of the requested page, including the base path; a button requests it again. */
  path?: string;
}

function button({ site, words, kind, retryPath = '/slack/install', path, isElsewhere }: FailurePageContent) {
  const shown = isElsewhere ? 'again' : failurePages[kind].button;
  if (shown === 'none') return undefined;
  const { label, leadsTo } = failureButtons[shown];
  const start = site.path('/');
  const target = { install: site.path(retryPath), page: path ?? start, start }[leadsTo];
  return shown === 'reload' && path === undefined
    ? // An empty link reloads the page without repeating its address, which may contain a code (invariant 4).
      html`<a class="button" href="">${words.text(label)}</a>`
    : html`<a class="button" href="${target}">${words.text(label)}</a>`;
}

/**
 * Says whom to ask, in a sentence that contains the link to support. If the reader canceled the install or the sign-in,
 * uses a different sentence. Asks the reader to include the reference only if it has an id that can be looked up.
 */
function help({ site, words, kind, requestId }: FailurePageContent): Html {
  const { supportUrl, name: app } = site.brand;
  const saidNo = kind === 'access_denied' || kind === 'signin_cancelled';
  const key = saidNo ? 'failure.question' : requestId ? 'failure.help' : 'failure.helpPlain';
  if (supportUrl === null) return html`<p class="help">${words.text(`${key}Unlinked`, { app })}</p>`;
  const mark = '\u0000';
  const [before = '', after = ''] = words.text(key, { contact: mark }).split(mark);
  return html`<p class="help">${before}<a href="${supportUrl}">${words.text('failure.contact')}</a>${after}</p>`;
}

/** Builds the page of a failure: a whole HTML document. Its usual HTTP status is `failurePages[kind].status`. */
export function failurePage(content: FailurePageContent): string {
  const { site, words, kind, code, requestId } = content;
  const shown = failureWords(words, kind, { ...content, app: site.brand.name });
  const action = button(content);
  const main = html`<main class="single" data-tone="ended">
  ${joinedMarks(site)}
  <h1>${shown.heading}</h1>
  ${shown.fact !== undefined && html`<p class="fact">${shown.fact}</p>`}
  ${shown.sentences.map((sentence) => html`<p>${sentence}</p>`)}
  ${action && html`<p class="actions">${action}</p>`}
  ${help(content)}
</main>`;
  const parts = [
    kind,
    ...(code !== undefined && code !== kind ? [code] : []),
    ...(requestId ? [requestId] : []),
  ];
  const reference = html`<p class="reference">${words.text('page.reference')}: ${parts.map((part, index) => html`${index > 0 && ' · '}<code translate="no">${part}</code>`)}</p>`;
  return page({ ...content, title: shown.heading, head: noIndex, main, reference });
}
