import { type Html, html } from '../html.ts';
import { joinedMarks } from './marks.ts';
import { noIndex, page } from './page.ts';
import { type AnswerNotice, questionSection, type ShownQuestion } from './progress-question.ts';
import { progressScript } from './progress-script.ts';
import type { ProgressStatus, ProgressStepStatus } from './progress-status.ts';
import type { PageFrame } from './site.ts';

/** What the progress page shows. */
export interface ProgressPageContent extends PageFrame {
  /** The result of `progressStatus`. The page polls the same data from `statusUrl`. */
  progress: ProgressStatus;
  /** The path of the JSON that the page polls, including the base path. */
  statusUrl: string;
  /** The question that the run waits for; undefined if there is none. */
  question?: ShownQuestion;
  /** Why the latest answer from this browser did not count; absent if there is no such answer. */
  notice?: AnswerNotice;
  /** Whether the app receives the messages that people write to it; absent if there is no installation. */
  hearsMessages?: boolean;
  /** Links into Slack; absent until Foyer knows the team. */
  openInSlack?: { desktopUrl: string | null; webUrl: string };
}

function stepLine(step: ProgressStepStatus): Html {
  return html`<li class="step" data-name="${step.name}" data-status="${step.status}">
    <span class="dot" aria-hidden="true"></span>
    <span class="step-label">${step.label}</span>
    <span class="step-status">${step.statusText}</span>
    <span class="step-note"${step.note === null && html` hidden`}>${step.note}</span>
  </li>`;
}

const emptyStep: ProgressStepStatus = {
  name: '',
  label: '',
  status: 'pending',
  statusText: '',
  attempts: 0,
  error: null,
  note: null,
};

function actions(content: ProgressPageContent): Html {
  const { site, words, progress, openInSlack } = content;
  const hiddenUnless = (offer: ProgressStatus['offers']) => progress.offers !== offer && html` hidden`;
  return html`${
    // The web address comes first, because it works with and without the desktop app.
    openInSlack &&
    html`<p class="actions" data-offer="open"${hiddenUnless('open')}>
    <a class="${content.question?.form ? 'quiet' : 'button'}" href="${openInSlack.webUrl}">${words.text('progress.open')}</a>
    ${openInSlack.desktopUrl !== null && html`<a class="quiet" href="${openInSlack.desktopUrl}">${words.text('progress.openDesktop')}</a>`}
  </p>`
  }
  <p class="actions" data-offer="install"${hiddenUnless('install')}><a class="button" href="${site.path('/slack/install')}">${words.text('progress.startAgain')}</a></p>`;
}

/**
 * Lists what the app suggests as next steps: one entry for each line of its texts. If the app does not receive
 * messages, leaves out `nextSteps.messages`, the text about writing to the app.
 */
function nextSteps({ words, progress, hearsMessages }: ProgressPageContent): Html {
  const texts = [hearsMessages && words.app('nextSteps.messages'), words.app('nextSteps')];
  const lines = texts
    .flatMap((text) => (text || '').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) return html``;
  return html`<section class="next" data-status-only="succeeded" aria-labelledby="next"${progress.status !== 'succeeded' && html` hidden`}>
    <h2 id="next">${words.text('progress.next')}</h2>
    <ol role="list">${lines.map((line) => html`<li>${line}</li>`)}</ol>
  </section>`;
}

/**
 * Builds the list of steps, for readers who want details. The list is open if a step failed or is unconfirmed,
 * otherwise folded.
 */
function details({ words, progress }: ProgressPageContent): Html {
  const isOpen = progress.tone === 'hitch' || progress.steps.some(({ status }) => status === 'unconfirmed');
  return html`<details id="details" class="card"${isOpen && html` open`}${progress.steps.length === 0 && html` hidden`}>
    <summary id="summary">${progress.summary}</summary>
    <ol class="steps" role="list" aria-label="${words.text('progress.steps')}">${progress.steps.map(stepLine)}</ol>
  </details>`;
}

/**
 * Builds `GET /installs/:token`, which shows the progress of setup: a whole HTML document that also works without
 * scripts. Until the run is done, a browser without scripts reloads the page automatically, unless the page has a form.
 */
export function progressPage(content: ProgressPageContent): string {
  const { site, words, progress, statusUrl } = content;
  const main = html`<main class="single" data-tone="${progress.tone}" data-status-url="${statusUrl}" data-app-name="${site.brand.name}" data-question="${progress.question ?? ''}">
  ${joinedMarks(site)}
  <h1 id="heading">${progress.heading}</h1>
  <p id="message">${progress.message}</p>
  <p id="now" class="now"${progress.now === null && html` hidden`}><span class="spinner" aria-hidden="true"></span><span id="doing">${progress.now}</span></p>
  <p id="hint"${progress.hint === null && html` hidden`}>${progress.hint}</p>
  ${questionSection(content, content)}
  ${actions(content)}
  ${nextSteps(content)}
  ${details(content)}
  <p id="offline" class="small" hidden>${words.text('progress.offline')}</p>
  <p id="announcement" class="visually-hidden" role="status" aria-live="polite"></p>
  ${!progress.done && html`<template id="step">${stepLine(emptyStep)}</template>`}
</main>`;
  // If a page with a form reloaded automatically, it would clear what the reader has typed.
  const refresh =
    !progress.done &&
    !content.question?.form &&
    html`<noscript><meta http-equiv="refresh" content="${progress.tone === 'waiting' ? 30 : 2}"></noscript>`;
  return page({
    ...content,
    title: progress.heading,
    head: html`${noIndex}${refresh}`,
    main,
    reference: html`<p class="reference" id="reference"${progress.id === null && html` hidden`}>${words.text('page.reference')}: <code translate="no">${progress.id}</code></p>`,
    script: progress.done ? undefined : progressScript,
  });
}
