import { html } from '../html.ts';
import { type FailureKind, failurePages } from './failure-texts.ts';
import { joinedMarks } from './marks.ts';
import { page } from './page.ts';
import type { PageFrame } from './site.ts';

/** What a failure page is about. */
export interface FailurePageContent extends PageFrame {
  kind: FailureKind;
  /** Slack's error or ours by name, shown small where it says more than the kind. */
  code?: string;
  /** Whether Slack's tokens were given back; undefined where it had issued none, or nobody can say. */
  tokensRevoked?: boolean;
  /** Whether Slack may have let the app in without our hearing of it. */
  mayHaveActed?: boolean;
  retryAfterSeconds?: number;
  /** Where the button leads back into the install; `/slack/install` unless given. */
  retryUrl?: string;
  /** The path of the page that was asked for, where a button leads to it again; the start page unless given. */
  path?: string;
  /** Why a rule of the app refuses, in the words of its author. */
  reason?: string;
}

/** The page of one failure: a whole HTML document. Its HTTP status is `failurePages[kind].status`. */
export function failurePage(content: FailurePageContent): string {
  const { site, nonce, kind, code, tokensRevoked, mayHaveActed, retryAfterSeconds } = content;
  const { heading, fact, sentences, button } = failurePages[kind];
  const context = {
    appName: site.appName,
    tokensRevoked,
    mayHaveActed,
    retryAfterSeconds,
    reason: content.reason,
  };
  const { retryUrl = '/slack/install', path = '/' } = content;
  const buttonUrl = { install: retryUrl, again: path, landing: '/' }[button.leadsTo];
  const factText = typeof fact === 'function' ? fact(context) : fact;
  const main = html`<main class="single" data-tone="ended">
  ${joinedMarks(site.appName)}
  <h1>${heading}</h1>
  ${factText !== undefined && html`<p class="fact">${factText}</p>`}
  ${sentences(context).map((sentence) => html`<p>${sentence}</p>`)}
  <p class="actions"><a class="button" href="${buttonUrl}">${button.label}</a></p>
</main>`;
  const detail = code !== undefined && code !== kind && html` (<code>${code}</code>)`;
  const reference = html`<p class="reference">Reference: <code>${kind}</code>${detail}</p>`;
  return page({
    site,
    nonce,
    title: heading,
    head: html`<meta name="robots" content="noindex">`,
    main,
    reference,
  });
}
