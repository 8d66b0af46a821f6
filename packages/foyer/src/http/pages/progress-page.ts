import { type Html, html } from '../html.ts';
import { joinedMarks } from './marks.ts';
import { page } from './page.ts';
import { progressScript } from './progress-script.ts';
import type { ProgressStatus, ProgressStepStatus } from './progress-status.ts';
import type { PageFrame } from './site.ts';

/** What the progress page needs besides the progress itself. */
export interface ProgressPageContent extends PageFrame {
  /** What `progressStatus` made: the same value that the status address answers with. */
  progress: ProgressStatus;
  /** The path of the JSON that the page polls. */
  statusUrl: string;
  /** Links into Slack; left out while the app's team is not known. */
  openInSlack?: { desktopUrl: string; webUrl: string };
  /** Where an install starts anew; `/slack/install` unless given. */
  installUrl?: string;
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
  const { progress, openInSlack, installUrl = '/slack/install' } = content;
  const hiddenUnless = (offer: ProgressStatus['offers']) => progress.offers !== offer && html` hidden`;
  return html`${
    openInSlack &&
    html`<p class="actions" data-offer="open"${hiddenUnless('open')}>
    <a class="button" href="${openInSlack.desktopUrl}">Open in Slack</a>
    <a class="quiet" href="${openInSlack.webUrl}">Open in your browser instead</a>
  </p>`
  }
  <p class="actions" data-offer="install"${hiddenUnless('install')}><a class="button" href="${installUrl}">Start again</a></p>`;
}

/**
 * `GET /installs/:token`: the steps as they finish. A whole HTML document, complete without scripts: a browser without
 * them asks again by itself until the run is done.
 */
export function progressPage(content: ProgressPageContent): string {
  const { site, nonce, progress, statusUrl } = content;
  const main = html`<main class="single" data-tone="${progress.tone}" data-status-url="${statusUrl}" data-app-name="${site.appName}">
  ${joinedMarks(site.appName)}
  <h1 id="heading">${progress.heading}</h1>
  <p id="message">${progress.message}</p>
  <p id="hint"${progress.hint === null && html` hidden`}>${progress.hint}</p>
  ${actions(content)}
  <ol class="steps card" role="list" aria-label="Setup steps"${progress.steps.length === 0 && html` hidden`}>${progress.steps.map(stepLine)}</ol>
  <p id="offline" class="small" hidden>This page cannot reach us at the moment. The setup goes on, and the page catches up by itself.</p>
  <p id="announcement" class="visually-hidden" role="status" aria-live="polite"></p>
  ${!progress.done && html`<template id="step">${stepLine(emptyStep)}</template>`}
</main>`;
  const refresh =
    !progress.done &&
    html`<noscript><meta http-equiv="refresh" content="${progress.tone === 'waiting' ? 30 : 2}"></noscript>`;
  return page({
    site,
    nonce,
    title: progress.heading,
    head: html`<meta name="robots" content="noindex">${refresh}`,
    main,
    reference: html`<p class="reference" id="reference"${progress.id === null && html` hidden`}>Reference: <code>${progress.id}</code></p>`,
    script: progress.done ? undefined : progressScript,
  });
}
