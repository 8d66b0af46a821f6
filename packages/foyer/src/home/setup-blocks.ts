import type { Button, KnownBlock } from '@slack/types';
import type { RunRecord, StepRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode } from '../slack/slack-text.ts';
import { errorSentence } from '../texts/error-sentence.ts';
import { button, context, header, lines, plainElement, section, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { canRetryRun, canSendWelcome, homeActions, mayAct, welcomeStepName } from './viewer.ts';

/** Shows the newest run: its state, its steps, and what the installer and the admins can do about it. */
export function setupBlocks(content: HomeContent): KnownBlock[] {
  const { words } = content;
  const { run } = content.record;
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
  const canRetry = canRetryRun(record);
  if (canRetry) {
    buttons.push(button(words.text('home.retry'), homeActions.retryRun, { value: run.id, style: 'primary' }));
  }
  // "Try again" also sends a welcome that failed: a second button would do the same.
  const welcomeFailed = run.steps.some(({ name, status }) => name === welcomeStepName && status === 'failed');
  if (canSendWelcome(record) && !(canRetry && welcomeFailed)) buttons.push(welcomeButton(content, run));
  if (buttons.length === 0) return [];
  if (mayAct(record, viewer)) return [{ type: 'actions', elements: buttons }];
  const needsCare = run.steps.some(({ status }) => status === 'failed' || status === 'unconfirmed');
  const app = escapeMrkdwn(content.app.name, 80);
  return needsCare ? [context(words.text('home.askAdmin', { app }))] : [];
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

/** The most steps that are listed; a longer pipeline shows those that need attention first. */
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

/** Quotes an error, and its name, by which the operators of the app find it. */
function quotedError({ words, app }: HomeContent, { errorCode }: StepRecord): string {
  const sentence = escapeMrkdwn(errorSentence(words, errorCode, app.name), 300);
  const isName = errorCode !== null && /^[\w.:-]{1,80}$/.test(errorCode);
  return `\n>${sentence}${isName ? ` ${mrkdwnCode(errorCode)}` : ''}`;
}

function stepLine(content: HomeContent, step: StepRecord, run: RunRecord): string {
  const { words, faces } = content;
  const title = escapeMrkdwn(words.step(step.name, faces[step.name]?.title, 'todo'), 150) || '-';
  const count = step.attempts;
  switch (step.status) {
    case 'pending':
      return `○  ${title} · ${words.text('home.step.todo')}`;
    case 'running':
      return `◐  ${title} · ${words.text('home.step.running')}`;
    case 'retrying': {
      const next =
        run.dueAt === null
          ? words.text('home.step.nextTrySoon', { count })
          : words.text('home.step.nextTry', { time: slackDate(run.dueAt), count });
      return `↻  ${title} · ${next}${quotedError(content, step)}`;
    }
    case 'succeeded':
      return count > 1 ? `✓  ${title} · ${words.text('home.step.afterAttempts', { count })}` : `✓  ${title}`;
    case 'failed':
      return `✕  *${title}* · ${words.text('home.step.failed', { count })}${quotedError(content, step)}`;
    case 'skipped':
      return `–  ${title} · ${words.text('home.step.skipped')}`;
    case 'unconfirmed': {
      const note = step.name === welcomeStepName ? 'home.step.welcomeNote' : 'home.step.unconfirmedNote';
      return `?  *${title}* · ${words.text('home.step.unconfirmed')}\n>${words.text(note)}`;
    }
  }
}

/** Lists the steps of a run in order, a line or two each; of a long pipeline, those that matter and a summary. */
function stepLines(content: HomeContent, run: RunRecord): string[] {
  const steps = run.steps.filter(({ name }) => content.faces[name]?.forOperators !== true);
  const shown = new Set(
    steps.toSorted((a, b) => urgency.indexOf(a.status) - urgency.indexOf(b.status)).slice(0, mostSteps),
  );
  const texts = steps.filter((step) => shown.has(step)).map((step) => stepLine(content, step, run));
  const hidden = steps.filter((step) => !shown.has(step));
  if (hidden.length === 0) return texts;
  const done = hidden.filter((step) => step.status === 'succeeded').length;
  return [...texts, `_${content.words.text('home.step.more', { count: hidden.length, done })}_`];
}
