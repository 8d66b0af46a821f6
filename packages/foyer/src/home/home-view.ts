import type { Button, ImageElement, KnownBlock } from '@slack/types';
import type { HistoryRecord } from '../database/history.ts';
import type { RunRecord, StepRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode, mrkdwnLink } from '../slack/slack-text.ts';
import { runForInstallers, type Words } from '../texts/create-texts.ts';
import { errorSentence } from '../texts/error-sentence.ts';
import {
  button,
  context,
  fields,
  header,
  lines,
  mention,
  plainElement,
  section,
  slackDate,
} from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { questionBlocks } from './question-blocks.ts';
import { accountBlocks, permissionBlocks, statusBlocks } from './status-blocks.ts';
import { canRetryRun, canSendWelcome, homeActions, mayAct, welcomeStepName } from './viewer.ts';

/** The most entries of the history that Home shows. */
export const historyShown = 10;

const divider: KnownBlock = { type: 'divider' };

/**
 * Draws the install record for one person in App Home: in full for the installer and the admins, in short for members.
 * The same content always results in the same blocks. They are within Slack's limits for any content
 * (docs.slack.dev/reference/views/home-tab-views): a list that was cut ends with a line that says so.
 */
export function homeBlocks(content: HomeContent): KnownBlock[] {
  const {
    record,
    history,
    words,
    question,
    app: { name: app },
  } = content;
  const place = record.isEnterpriseInstall ? record.enterpriseName : record.teamName;
  const shownApp = escapeMrkdwn(app, 80);
  const isInFull = mayAct(record, content.viewer);
  const run = record.run && runForInstallers(record.run, content.faces);
  const historyBlocks = (): KnownBlock[] =>
    history.length === 0
      ? []
      : [header(words.text('home.history')), ...lines(historyLines(words, history, historyShown))];
  const groups: KnownBlock[][] = [
    [header(place ? words.text('home.title', { app, place }) : app), ...statusBlocks(content)],
    accountBlocks(content),
    isInFull && question
      ? questionBlocks(words, words.text('home.question.intro', { app: shownApp }), question)
      : [],
    isInFull || (run && hasProblem(run)) ? setupBlocks(content, run) : [],
    permissionBlocks(content),
    profileBlocks(content),
    isInFull ? historyBlocks() : [],
    footer(content),
  ];
  return groups
    .filter((group) => group.length > 0)
    .flatMap((group, index) => (index === 0 ? group : [divider, ...group]));
}

/** Returns whether a step has a problem. If so, members also see the setup, and whom to ask. */
function hasProblem({ steps }: RunRecord): boolean {
  return steps.some(({ status }) => status === 'failed' || status === 'unconfirmed');
}

function footer({ record, viewer, words, supportUrl, privacyUrl }: HomeContent): KnownBlock[] {
  const parts = [words.text('home.times')];
  if (supportUrl !== null) parts.push(mrkdwnLink(supportUrl, words.text('home.help')));
  if (privacyUrl !== null) parts.push(mrkdwnLink(privacyUrl, words.text('page.privacy')));
  if (record.run && mayAct(record, viewer)) {
    parts.push(words.text('home.reference', { id: mrkdwnCode(record.run.id, 80) }));
  }
  return [context(parts.join('  ·  '))];
}

/**
 * Lists at most `most` entries of the history, in the given order. If there are more, adds a line that says so. Home
 * does not show an entry's detail, which is for operators: the command line and the operator pages show it.
 */
function historyLines(words: Words, history: readonly HistoryRecord[], most: number): string[] {
  const texts = history.slice(0, most).map(({ at, kind, userId }) => {
    const who = userId === null ? 'none' : mention(userId);
    return `${slackDate(at)} · ${words.text(`home.history.${kind}`, { who })}`;
  });
  return history.length > most ? [...texts, `_${words.text('home.history.older')}_`] : texts;
}

/** Shows the viewer's own stored profile. Home shows this profile to no one else. */
function profileBlocks({ viewer, app, words }: HomeContent): KnownBlock[] {
  const { profile } = viewer;
  // If a caller passes the wrong profile, this check keeps one person's email address from being shown to another.
  if (profile === undefined || profile.userId !== viewer.userId) return [];
  const given = [
    [words.text('home.you.name'), profile.realName ?? profile.name],
    [words.text('home.you.email'), profile.email],
    [words.text('home.you.timeZone'), profile.timezone?.replaceAll('_', ' ') ?? null],
  ] as const;
  const pairs = given.flatMap(([label, value]) => {
    const text = value === null ? '' : escapeMrkdwn(value, 300);
    return text === '' ? [] : [[label, text] as const];
  });
  if (pairs.length === 0) return [];
  const time = slackDate(profile.firstSeenAt);
  return [
    header(words.text('home.you')),
    fields(pairs, picture(profile.avatarUrl, words.text('home.you.picture'))),
    context(words.text('home.you.kept', { app: escapeMrkdwn(app.name, 80), time })),
  ];
}

function picture(url: string | null, alt: string): ImageElement | undefined {
  if (url === null || url.length > 3000 || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  return { type: 'image', image_url: url, alt_text: alt };
}

/** Shows the newest run: its state, its steps, and what the installer and the admins can do about it. */
function setupBlocks(content: HomeContent, run: RunRecord | null): KnownBlock[] {
  const { words } = content;
  const heading = header(words.text('home.setup'));
  if (run === null) return [heading, section(words.text('home.setup.none'))];
  return [
    heading,
    context(runState(content, run)),
    ...lines(stepLines(content, run)),
    ...actionBlocks(content, run),
  ];
}

function runState({ words, app }: HomeContent, run: RunRecord): string {
  const time = run.finishedAt === null ? '' : slackDate(run.finishedAt);
  switch (run.status) {
    case 'queued':
      return words.text('home.setup.queued');
    case 'running':
      return words.text('home.setup.running', { time: slackDate(run.createdAt) });
    case 'waiting':
      if (run.waitingFor === 'team_access_granted') {
        return words.text('home.setup.waitingForWorkspace', { app: escapeMrkdwn(app.name, 80) });
      }
      if (run.waitingFor === 'answer') return words.text('home.setup.question');
      if (run.dueAt === null) return words.text('home.setup.waiting');
      return words.text('home.setup.continues', { time: slackDate(run.dueAt) });
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return words.text(`home.setup.${run.status}`, { time }).trim();
  }
}

function actionBlocks(content: HomeContent, run: RunRecord): KnownBlock[] {
  const { record, viewer, words } = content;
  const buttons: Button[] = [];
  const canRetry = canRetryRun(record, run.steps);
  if (canRetry) {
    buttons.push(button(words.text('home.retry'), homeActions.retryRun, { value: run.id, style: 'primary' }));
  }
  // "Try again" also sends a failed welcome again, so a second button would do the same.
  const welcomeFailed = run.steps.some(({ name, status }) => name === welcomeStepName && status === 'failed');
  const canSend = canSendWelcome(record) && content.faces[welcomeStepName] !== undefined;
  if (canSend && !(canRetry && welcomeFailed)) buttons.push(welcomeButton(content, run));
  if (buttons.length === 0) return [];
  if (mayAct(record, viewer)) return [{ type: 'actions', elements: buttons }];
  const app = escapeMrkdwn(content.app.name, 80);
  return hasProblem(run) ? [context(words.text('home.askAdmin', { app }))] : [];
}

function welcomeButton({ words }: HomeContent, run: RunRecord): Button {
  const inDoubt = run.steps.some(({ name, status }) => name === welcomeStepName && status === 'unconfirmed');
  return button(words.text('home.sendWelcome'), homeActions.sendWelcome, {
    value: run.id,
    ...(inDoubt && { style: 'primary' }),
    confirm: {
      title: plainElement(words.text('home.sendWelcome.title'), 100),
      text: plainElement(words.text(inDoubt ? 'home.sendWelcome.doubt' : 'home.sendWelcome.text'), 300),
      confirm: plainElement(words.text('home.sendWelcome.confirm'), 30),
      deny: plainElement(words.text('home.sendWelcome.cancel'), 30),
    },
  });
}

/** The most steps that the list shows. For a longer pipeline, it shows those that need attention most urgently. */
const mostSteps = 30;

const urgency: readonly StepRecord['status'][] = [
  'failed',
  'unconfirmed',
  'retrying',
  'running',
  'pending',
  'skipped',
  'succeeded',
];

/** Shows the sentence for an error, with the error's code, which operators can search for. */
function quotedError({ words, app }: HomeContent, { errorCode }: StepRecord): string {
  const sentence = escapeMrkdwn(errorSentence(words, errorCode, app.name), 300);
  const isName = errorCode !== null && /^[\w.:-]{1,80}$/.test(errorCode);
  return `\n>${sentence}${isName ? ` ${mrkdwnCode(errorCode)}` : ''}`;
}

/** Whether a step has asked the question that its run waits for. Home shows such a step as in progress. */
function hasAsked(step: StepRecord, { status, waitingFor, steps }: RunRecord): boolean {
  if (status !== 'waiting' || waitingFor !== 'answer') return false;
  return step === steps.find((other) => other.status === 'pending');
}

/** Says when a step runs again. Counts only failed attempts, not those that waited or hit a rate limit. */
function nextTry(words: Words, { failures: count }: StepRecord, { dueAt }: RunRecord): string {
  if (dueAt === null)
    return count > 0 ? words.text('home.step.nextTrySoon', { count }) : words.text('home.step.nextSoon');
  const time = slackDate(dueAt);
  return count > 0
    ? words.text('home.step.nextTry', { time, count })
    : words.text('home.step.next', { time });
}

function stepLine(content: HomeContent, step: StepRecord, run: RunRecord): string {
  const { words, faces } = content;
  const asks = hasAsked(step, run);
  const form = asks ? 'doing' : 'todo';
  const title = escapeMrkdwn(words.step(step.name, faces[step.name]?.title, form), 150) || '-';
  switch (asks ? 'running' : step.status) {
    case 'pending':
      return `○  ${title} · ${words.text('home.step.todo')}`;
    case 'running':
      return `◐  ${title} · ${words.text('home.step.running')}`;
    case 'retrying':
      return `↻  ${title} · ${nextTry(words, step, run)}${step.errorCode === null ? '' : quotedError(content, step)}`;
    case 'succeeded':
      return step.failures > 0
        ? `✓  ${title} · ${words.text('home.step.afterAttempts', { count: step.failures + 1 })}`
        : `✓  ${title}`;
    case 'failed': {
      // A step whose process died at each attempt has no failures.
      const count = step.failures || step.attempts;
      return `✕  *${title}* · ${words.text('home.step.failed', { count })}${quotedError(content, step)}`;
    }
    case 'skipped':
      return `–  ${title} · ${words.text('home.step.skipped')}`;
    case 'unconfirmed': {
      const note = step.name === welcomeStepName ? 'home.step.welcomeNote' : 'home.step.unconfirmedNote';
      return `?  *${title}* · ${words.text('home.step.unconfirmed')}\n>${words.text(note)}`;
    }
  }
}

/** Lists a run's steps in order. If there are too many, shows only the most urgent ones, and how many it omits. */
function stepLines(content: HomeContent, run: RunRecord): string[] {
  const { steps } = run;
  const shown = new Set(
    steps.toSorted((a, b) => urgency.indexOf(a.status) - urgency.indexOf(b.status)).slice(0, mostSteps),
  );
  const texts = steps.filter((step) => shown.has(step)).map((step) => stepLine(content, step, run));
  const hidden = steps.filter((step) => !shown.has(step));
  if (hidden.length === 0) return texts;
  const done = hidden.filter((step) => step.status === 'succeeded').length;
  return [...texts, `_${content.words.text('home.step.more', { count: hidden.length, done })}_`];
}
