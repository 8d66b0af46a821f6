import type { Button, KnownBlock } from '@slack/types';
import type { RunRecord } from '../database/install-record.ts';
import { escapeMrkdwn } from '../slack/escape-mrkdwn.ts';
import { button, context, header, lines, section, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { canRetryRun, canSendWelcome, homeActions, mayAct, welcomeStepName } from './may-act.ts';
import { stepLines } from './step-lines.ts';

/** The newest run: how it stands, its steps, and what the installer and the admins can do about it. */
export function setupBlocks(content: HomeContent): KnownBlock[] {
  const { run } = content.record;
  if (run === null) return [header('Setup'), section('No setup has run yet.')];
  return [
    header('Setup'),
    context(runState(run, escapeMrkdwn(content.app.name, 80))),
    ...lines(stepLines(run)),
    ...actionBlocks(content, run),
  ];
}

function runState(run: RunRecord, appName: string): string {
  const ended = run.finishedAt === null ? '' : ` ${slackDate(run.finishedAt)}`;
  switch (run.status) {
    case 'queued':
      return 'About to start';
    case 'running':
      return `In progress since ${slackDate(run.createdAt)}`;
    case 'waiting':
      if (run.waitingFor === 'team_access_granted') {
        return `Waiting until an organisation admin adds ${appName} to a workspace`;
      }
      return run.dueAt === null ? 'Waiting to go on' : `Goes on ${slackDate(run.dueAt)}`;
    case 'succeeded':
      return `Finished${ended}`;
    case 'failed':
      return `Ended${ended}, not everything worked`;
    case 'cancelled':
      return `Stopped${ended} before it was finished`;
  }
}

function actionBlocks(content: HomeContent, run: RunRecord): KnownBlock[] {
  const { record, viewer } = content;
  const buttons: Button[] = [];
  if (canRetryRun(record)) {
    buttons.push(button('Try again', homeActions.retryRun, { value: run.id, style: 'primary' }));
  }
  if (canSendWelcome(record)) buttons.push(welcomeButton(run));
  if (buttons.length === 0) return [];
  if (mayAct(record, viewer)) return [{ type: 'actions', elements: buttons }];
  const wantsCare = run.steps.some(({ status }) => status === 'failed' || status === 'unconfirmed');
  return wantsCare ? [context('Whoever installed the app, or an admin, can try again here.')] : [];
}

function welcomeButton(run: RunRecord): Button {
  const inDoubt = run.steps.some(({ name, status }) => name === welcomeStepName && status === 'unconfirmed');
  const text = inDoubt
    ? 'The first one may have arrived after all. Then there will be two.'
    : 'The person who installed the app gets the welcome message once more.';
  return button('Send the welcome again', homeActions.sendWelcome, {
    value: run.id,
    ...(inDoubt && { style: 'primary' }),
    confirm: {
      title: { type: 'plain_text', text: 'Send the welcome again?' },
      text: { type: 'plain_text', text },
      confirm: { type: 'plain_text', text: 'Send' },
      deny: { type: 'plain_text', text: 'Cancel' },
    },
  });
}
