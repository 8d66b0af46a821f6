import type { Brand } from '../../../src/http/brand.ts';
import { connectPage } from '../../../src/http/pages/connect-page.ts';
import { failurePage } from '../../../src/http/pages/failure-page.ts';
import { type FailureKind, failurePages } from '../../../src/http/pages/failure-texts.ts';
import { landingPage } from '../../../src/http/pages/landing-page.ts';
import { progressPage } from '../../../src/http/pages/progress-page.ts';
import type { AnswerNotice, ShownQuestion } from '../../../src/http/pages/progress-question.ts';
import {
  type Progress,
  type ProgressWords,
  progressStatus,
} from '../../../src/http/pages/progress-status.ts';
import { createSite, type PageFrame, type Site } from '../../../src/http/pages/site.ts';
import { brandOf, english, faces } from '../../support/test-face.ts';

/** A page frame like those that the install flow makes. */
export const frame: PageFrame = {
  site: siteOf({
    tagline: 'A welcome done well.',
    privacyUrl: 'https://example.com/privacy',
    supportUrl: 'mailto:help@example.com',
  }),
  words: english,
  nonce: 'bm9uY2Utb2YtdGhlLXRlc3Q',
};

/**
 * A site at https://foyer.test. Its brand is the tests' brand, with the values in `brand` instead of the usual ones.
 */
export function siteOf(brand: Partial<Brand> = {}, http: { basePath?: string } = {}): Site {
  return createSite(brandOf(brand.name, brand), { publicUrl: 'https://foyer.test', ...http });
}

/** The names of all causes of a failure page. */
export const failureKinds = Object.keys(failurePages) as FailureKind[];

/** The progress of the six steps: the first ones with the given statuses, the others pending. */
export function progressOf(
  status: Progress['status'],
  statuses: Progress['steps'][number]['status'][] = [],
  more: Partial<Progress> = {},
): Progress {
  const names = [
    'register-team',
    'register-user',
    'fetch-profile',
    'send-welcome',
    'publish-home',
    'notify-operators',
  ];
  return {
    id: 'run_1',
    status,
    teamName: 'Acme Rockets',
    steps: names.map((name, index) => ({
      name,
      status: statuses[index] ?? 'pending',
      attempts: 1,
      failures: 0,
      errorCode: null,
    })),
    ...more,
  };
}

/** The app name, words and step faces that `progressStatus` needs to describe progress. */
export function wordsOf({ site, words }: PageFrame): ProgressWords {
  return { app: site.brand.name, words, faces };
}

/** The HTML of the progress page that shows `progress`, with addresses that open the app in Slack. */
export function progressDocument(
  progress: Progress,
  { hearsMessages, ...pageFrame }: PageFrame & { hearsMessages?: boolean } = frame,
): string {
  return progressPage({
    ...pageFrame,
    hearsMessages,
    progress: progressStatus(wordsOf(pageFrame), progress),
    statusUrl: '/installs/abc/status',
    openInSlack: {
      desktopUrl: 'slack://app?team=T1&id=A1&tab=home',
      webUrl: 'https://slack.com/app_redirect?app=A1&team=T1',
    },
  });
}

/** The progress page with an open question: with a form for the answer, or without one if `isElsewhere`. */
export function questionDocument(
  input: ShownQuestion['input'],
  { isElsewhere = false, notice }: { isElsewhere?: boolean; notice?: AnswerNotice } = {},
  pageFrame: PageFrame = frame,
): string {
  const asked = { id: 'ask/it', answeredHere: !isElsewhere };
  const waiting = progressOf('waiting', ['succeeded'], { waitingFor: 'answer', question: asked });
  return progressPage({
    ...pageFrame,
    progress: progressStatus(wordsOf(pageFrame), waiting),
    statusUrl: '/installs/abc/status',
    openInSlack: { desktopUrl: null, webUrl: 'https://slack.com/app_redirect?app=A1&team=T1' },
    question: {
      text: 'Which plan shall <Acme> start with?\nYou can change it later.',
      input,
      form: isElsewhere ? undefined : { action: '/installs/abc', ticket: 'v1.main.x' },
    },
    notice,
  });
}

/** The landing page with bot and user scopes. */
export function landingDocument(pageFrame: PageFrame = frame): string {
  return landingPage({
    ...pageFrame,
    botScopes: ['users:read.email', 'chat:write', 'made:up'],
    optionalBotScopes: ['users:read.email'],
    userScopes: ['reactions:write'],
  });
}

/** The page that asks the person to confirm the account of a link, or the move of a workspace to that account. */
export function connectDocument(kind: 'connect' | 'move', pageFrame: PageFrame = frame): string {
  const question = {
    account: 'Acme Rockets Ltd',
    teamName: 'Acme',
    action: '/slack/install',
    ticket: 'v1.main.x',
  };
  return connectPage({ ...pageFrame, ...question, kind });
}

/** Every page in every state, each with a name for assertion messages. */
export function everyPage(pageFrame: PageFrame = frame): [string, string][] {
  const states: Progress['status'][] = [
    'connecting',
    'not_installed',
    'queued',
    'running',
    'waiting',
    'succeeded',
    'failed',
    'cancelled',
  ];
  const choices = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ value: `${index}`, label: `Plan ${index}: all of it` }));
  const asked = (name: string, ...about: Parameters<typeof questionDocument>): [string, string] => [
    `asked ${name}`,
    questionDocument(about[0], about[1], pageFrame),
  ];
  return [
    asked('choice', { type: 'choice', options: choices(3) }),
    asked('long-choice', { type: 'choice', options: choices(9) }, { notice: 'answered-before' }),
    asked('text', { type: 'text' }, { notice: 'invalid' }),
    asked('channel', { type: 'channel' }, { isElsewhere: true }),
    asked('elsewhere', { type: 'text' }, { isElsewhere: true }),
    ['landing', landingDocument(pageFrame)],
    ...states.map((status): [string, string] => [
      `progress ${status}`,
      progressDocument(progressOf(status), pageFrame),
    ]),
    ...(['connect', 'move'] as const).map((kind): [string, string] => [
      `question ${kind}`,
      connectDocument(kind, pageFrame),
    ]),
    ...failureKinds.map((kind): [string, string] => [
      `failure ${kind}`,
      failurePage({ ...pageFrame, kind, tokensRevoked: false, reason: 'Only customers may install it.' }),
    ]),
  ];
}

/** The text of a document as a reader sees it: without head, scripts, templates, hidden elements and tags. */
export function visibleText(document: string): string {
  return document
    .replace(/<head>[\s\S]*<\/head>|<script[\s\S]*?<\/script>|<template[\s\S]*?<\/template>/g, '')
    .replace(/<(p|span|ol|section|details)\b[^>]* hidden>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim();
}
