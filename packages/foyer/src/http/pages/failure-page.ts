import { type Html, html } from '../html.ts';
import { type FailureKind, failurePages, failureWords } from './failure-texts.ts';
import { joinedMarks } from './marks.ts';
import { page } from './page.ts';
import type { PageFrame } from './site.ts';

/** The content of a failure page. */
interface FailurePageContent extends PageFrame {
  kind: FailureKind;
  /** Slack's or Foyer's error code, in small print if it says more than the kind. */
  code?: string;
  /** The id of the install request, which also appears in the log and in the operator's list. */
  requestId?: string;
  /** Whether Slack's tokens were revoked; undefined if Slack had issued none, or if that is not known. */
  tokensRevoked?: boolean;
  /** Whether Slack may have installed the app although Foyer got no confirmation. */
  mayHaveActed?: boolean;
  /** Why a rule of the app refuses, in its author's words. */
  reason?: string;
  /** For a limit: when to try again. */
  retryAfterSeconds?: number;
  /** Where the button restarts the install; `/slack/install` unless given. */
  retryPath?: string;
  /** The path of the requested page, including the base path; a button requests it again. */
  path?: string;
}

function button(content: FailurePageContent): Html | undefined {
  const { site, words, kind, retryPath = '/slack/install', path } = content;
  const link = (target: string, label: string): Html => html`<a class="button" href="${target}">${label}</a>`;
  switch (failurePages[kind].button) {
    case 'startAgain':
      return link(site.path(retryPath), words.text('failure.startAgain'));
    case 'tryAgain':
      return link(site.path(retryPath), words.text('failure.tryAgain'));
    case 'continue':
      return link(site.path(retryPath), words.text('failure.continue'));
    case 'again':
      return link(path ?? site.path('/'), words.text('failure.tryAgain'));
    case 'reload':
      // An empty link reloads the page: its address may hold a code, which no page repeats (invariant 4).
      return path === undefined
        ? html`<a class="button" href="">${words.text('failure.tryAgain')}</a>`
        : link(path, words.text('failure.tryAgain'));
    case 'lookAgain':
      return link(path ?? site.path('/'), words.text('failure.lookAgain'));
    case 'thatAddress':
      return link(path ?? site.path('/'), words.text('failure.thatAddress'));
    case 'addToSlack':
      return link(site.path(retryPath), words.text('landing.button'));
    case 'startPage':
      return link(site.path('/'), words.text('failure.startPage'));
    case 'none':
      return undefined;
  }
}

/** Says whom to ask; the support link is part of the sentence. */
function help({ site, words }: PageFrame): Html {
  const { supportUrl, name: app } = site.brand;
  if (supportUrl === null) return html`<p class="help">${words.text('failure.helpUnlinked', { app })}</p>`;
  const mark = '\u0000';
  const [before = '', after = ''] = words.text('failure.help', { contact: mark }).split(mark);
  return html`<p class="help">${before}<a href="${supportUrl}">${words.text('failure.contact')}</a>${after}</p>`;
}

/** Builds the page of one failure: a whole HTML document. Its HTTP status is `failurePages[kind].status`. */
export function failurePage(content: FailurePageContent): string {
  const { site, words, nonce, kind, code, requestId } = content;
  const { tokensRevoked, mayHaveActed, reason, retryAfterSeconds } = content;
  const shown = failureWords(words, kind, {
    app: site.brand.name,
    tokensRevoked,
    mayHaveActed,
    reason,
    retryAfterSeconds,
  });
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
  return page({
    site,
    words,
    nonce,
    title: shown.heading,
    head: html`<meta name="robots" content="noindex">`,
    main,
    reference,
  });
}
