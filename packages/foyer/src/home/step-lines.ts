import { counted } from '../config/counted.ts';
import type { RunRecord, StepRecord } from '../database/install-record.ts';
import { mrkdwnCode } from '../slack/escape-mrkdwn.ts';
import { outside, slackDate } from './blocks.ts';
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

/** What the errors that people meet most mean; another one tells its own message. */
const sentences: Readonly<Record<string, string>> = {
  missing_scope: 'Slack says that a permission is missing.',
  rate_limited: 'Slack asked for a pause.',
  timeout: 'Slack did not answer in time.',
  connection_failed: 'Slack could not be reached.',
  malformed_answer: 'Slack’s answer could not be read.',
  account_inactive: 'Slack no longer accepts the app’s token.',
  invalid_auth: 'Slack no longer accepts the app’s token.',
  token_expired: 'Slack no longer accepts the app’s token.',
  token_revoked: 'Slack no longer accepts the app’s token.',
  user_not_found: 'Slack does not know this person.',
  messages_tab_disabled: 'The app’s Messages tab is turned off.',
  not_enabled: 'The app’s Home tab is turned off.',
  internal_error: 'Slack had a fault of its own.',
  service_unavailable: 'Slack had a fault of its own.',
};

function errorSentence(step: StepRecord): string {
  const code = step.errorCode ?? '';
  const known = Object.hasOwn(sentences, code) ? sentences[code] : undefined;
  const message = known ?? outside(step.errorMessage ?? '', 240);
  const name = /^[\w.:-]{1,80}$/.test(code) ? mrkdwnCode(code) : '';
  return [message, name].filter(Boolean).join(' ');
}

/** Foyer's own steps, in words that fit whatever their state and whoever reads; others are read from their names. */
const titles: Readonly<Record<string, string>> = {
  'register-team': 'Register the workspace',
  'register-user': 'Register the installer',
  'fetch-profile': 'Read the installer’s profile',
  'send-welcome': 'Send the welcome message',
  'publish-home': 'Prepare the Home tab',
  'notify-operators': 'Tell the app’s team',
};

function stepTitle(name: string): string {
  const known = Object.hasOwn(titles, name) ? titles[name] : undefined;
  if (known !== undefined) return known;
  const words = outside(name.replace(/[-_]+/g, ' '), 80) || '-';
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function quoted(text: string): string {
  return text === '' ? '' : `\n>${text}`;
}

function stepLine(step: StepRecord, run: RunRecord): string {
  const title = stepTitle(step.name);
  const tries = counted(step.attempts, 'attempt');
  switch (step.status) {
    case 'pending':
      return `○  ${title} · to do`;
    case 'running':
      return `◐  ${title} · in progress`;
    case 'retrying': {
      const next = run.dueAt === null ? 'tried again soon' : `next try ${slackDate(run.dueAt)}`;
      return `↻  ${title} · ${next}, after ${tries}${quoted(errorSentence(step))}`;
    }
    case 'succeeded':
      return `✓  ${title}${step.attempts > 1 ? ` · after ${tries}` : ''}`;
    case 'failed':
      return `✕  *${title}* · failed after ${tries}${quoted(errorSentence(step))}`;
    case 'skipped': {
      const why = step.errorMessage === null ? '' : ` (${outside(step.errorMessage, 160)})`;
      return `–  ${title} · skipped${why}`;
    }
    case 'unconfirmed':
      return `?  *${title}* · unconfirmed${quoted(unconfirmedSentence(step))}`;
  }
}

function unconfirmedSentence(step: StepRecord): string {
  return step.name === welcomeStepName
    ? 'The message may have arrived: the connection broke while it was sent. It is not sent twice unasked.'
    : 'It may have been done: the connection broke meanwhile, and nobody can find out.';
}

/** A run's steps in order, a line or two each; of a long pipeline those that matter, and a line on the rest. */
export function stepLines(run: RunRecord): string[] {
  const shown = new Set(
    run.steps.toSorted((a, b) => urgency.indexOf(a.status) - urgency.indexOf(b.status)).slice(0, mostSteps),
  );
  const texts = run.steps.filter((step) => shown.has(step)).map((step) => stepLine(step, run));
  const hidden = run.steps.filter((step) => !shown.has(step));
  if (hidden.length === 0) return texts;
  const done = hidden.filter((step) => step.status === 'succeeded').length;
  return [...texts, `_${counted(hidden.length, 'more step')} not listed here, ${done} of them done._`];
}
