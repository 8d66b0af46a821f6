import type { Button, KnownBlock } from '@slack/types';
import type { RunRecord } from '../database/install-record.ts';
import { escapeMrkdwn } from '../slack/escape-mrkdwn.ts';
import { button, context, header, lines, plainElement, section, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { canRetryRun, canSendWelcome, homeActions, mayAct, welcomeStepName } from './may-act.ts';
import { stepLines } from './step-lines.ts';

/** The newest run: how it stands, its steps, and what the installer and the admins can do about it. */
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
  // "Try again" sends a welcome that failed: a second button for it would mean the same.
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
