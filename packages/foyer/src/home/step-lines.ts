import type { RunRecord, StepRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode } from '../slack/escape-mrkdwn.ts';
import { errorSentence } from '../texts/error-sentence.ts';
import { slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { welcomeStepName } from './may-act.ts';

/** How many steps are listed; a longer pipeline shows those that want attention first. */
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

/** What went wrong, and its name, by which the people who run the app find it. */
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

/** A run's steps in order, a line or two each; of a long pipeline those that matter, and a line on the rest. */
export function stepLines(content: HomeContent, run: RunRecord): string[] {
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
