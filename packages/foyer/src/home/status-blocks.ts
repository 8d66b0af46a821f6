import type { KnownBlock } from '@slack/types';
import type { InstallRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode } from '../slack/escape-mrkdwn.ts';
import { button, fields, mention, outside, section, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { homeActions, welcomeStepName } from './may-act.ts';

/** How the installation stands in a sentence or two, and who installed it where and when. */
export function statusBlocks(content: HomeContent): KnownBlock[] {
  const { record, claimUrl } = content;
  return [
    summary(content),
    ...(claimUrl === undefined ? [] : [connectBlock(claimUrl)]),
    fields(facts(record)),
  ];
}

/** The link works for an hour, and each opening of Home has a fresh one. */
function connectBlock(url: string): KnownBlock {
  return section(
    '○  *Not connected yet.* One step is left: connect this workspace with your account.',
    button('Finish connecting', homeActions.finishConnecting, { url, style: 'primary' }),
  );
}

function summary({ record, app, updatePermissionsUrl }: HomeContent): KnownBlock {
  const name = escapeMrkdwn(app.name, 80);
  if (record.status === 'uninstalled') return section(`✕  *Removed.* ${name} is no longer installed here.`);
  if (record.status === 'broken') {
    const why = record.brokenReason === null ? '' : ` (${reason(record.brokenReason)})`;
    return section(
      `✕  *${name} has lost its access.* Slack no longer accepts its token${why}. ` +
        'Install it again to put this right: this record goes on where it stopped.',
      button('Install again', homeActions.updatePermissions, { url: updatePermissionsUrl, style: 'primary' }),
    );
  }
  return section(runSummary(record, name));
}

function reason(text: string): string {
  return /^[a-z0-9_]{1,80}$/.test(text) ? mrkdwnCode(text) : outside(text, 200);
}

function runSummary({ run, isEnterpriseInstall }: InstallRecord, name: string): string {
  const where = isEnterpriseInstall ? 'for the whole organisation' : 'in this workspace';
  const steps = run?.steps ?? [];
  switch (run?.status) {
    case 'queued':
    case 'running':
      return `◐  *Setting up.* ${name} is installed ${where}; its first steps are under way.`;
    case 'waiting':
      return run.waitingFor === 'team_access_granted'
        ? `◐  *Waiting for a workspace.* ${name} is installed ${where}, but is in no workspace yet. ` +
            `An org admin adds it to one: Slack’s admin pages, Integrations, Installed apps, ${name}, ` +
            'Add to more workspaces. The rest then happens by itself.'
        : `◐  *Almost there.* ${name} is installed ${where}; a step of its setup goes on by itself.`;
    case 'failed':
      return `✕  *The setup is not complete.* ${name} is installed ${where}, but a part of its setup failed.`;
    case 'succeeded':
      if (steps.some((step) => step.name === welcomeStepName && step.status === 'unconfirmed')) {
        return `?  *Set up, and the welcome is unconfirmed.* ${name} is installed ${where} and works.`;
      }
      return `✓  *Everything is in place.* ${name} is installed ${where} and ready.`;
    default:
      return `✓  *Installed.* ${name} is installed ${where}.`;
  }
}

const statusWords = { active: '✓  Active', broken: '✕  Access lost', uninstalled: '✕  Removed' } as const;

function facts(record: InstallRecord): [label: string, value: string][] {
  const workspace = record.teamName ?? record.teamId;
  const organisation = record.enterpriseName ?? record.enterpriseId;
  const place: [string, string][] = record.isEnterpriseInstall
    ? [['Organisation', escapeMrkdwn(organisation ?? '', 300) || '-']]
    : [['Workspace', escapeMrkdwn(workspace ?? '', 300) || '-']];
  return [
    ...place,
    ['Status', statusWords[record.status]],
    ['Installed by', mention(record.installerUserId)],
    ['Installed', slackDate(record.installedAt, 'long')],
  ];
}
