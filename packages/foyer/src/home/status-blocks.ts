import type { KnownBlock } from '@slack/types';
import type { InstallRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode } from '../slack/escape-mrkdwn.ts';
import { button, fields, mention, outside, section, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { homeActions, mayAct } from './may-act.ts';
import { missingScopes } from './permission-blocks.ts';

/** Shows the state of the installation in one line, and who installed it where and when. */
export function statusBlocks(content: HomeContent): KnownBlock[] {
  const { claimUrl } = content;
  return [
    stateBlock(content),
    ...(claimUrl === undefined ? [] : [connectBlock(content, claimUrl)]),
    fields(facts(content)),
  ];
}

/** Each opening of Home gets a new link, which works for an hour. */
function connectBlock({ words }: HomeContent, url: string): KnownBlock {
  const label = words.text('connect.finish');
  return section(
    words.text('home.state.unconnected'),
    button(label, homeActions.finishConnecting, { url, style: 'primary' }),
  );
}

function stateBlock(content: HomeContent): KnownBlock {
  const { record, words, viewer, updatePermissionsUrl: url } = content;
  const app = escapeMrkdwn(content.app.name, 80);
  if (record.status === 'uninstalled') return section(words.text('home.state.removed', { app }));
  if (record.status !== 'broken') return section(stateOf(content, app));
  const reason = record.brokenReason === null ? 'none' : codeOf(record.brokenReason);
  const text = words.text('home.state.broken', { app, reason });
  if (!mayAct(record, viewer)) return section(text);
  const label = words.text('home.installAgain');
  return section(text, button(label, homeActions.updatePermissions, { url, style: 'primary' }));
}

function codeOf(text: string): string {
  return /^[a-z0-9_]{1,80}$/.test(text) ? mrkdwnCode(text) : outside(text, 200);
}

/** The first problem wins: a Home that shows a problem never says that everything is set up. */
function stateOf(content: HomeContent, app: string): string {
  const { words } = content;
  const { run, isEnterpriseInstall } = content.record;
  const values = { app, org: isEnterpriseInstall ? 'yes' : 'no' };
  const steps = run?.steps.filter((step) => content.faces[step.name]?.forOperators !== true) ?? [];
  const some = (status: string): boolean => steps.some((step) => step.status === status);
  switch (run?.status) {
    case 'queued':
    case 'running':
      return words.text('home.state.settingUp', values);
    case 'waiting':
      if (run.waitingFor === 'team_access_granted')
        return words.text('home.state.waitingForWorkspace', { app });
      return words.text(run.waitingFor === 'answer' ? 'home.state.question' : 'home.state.waiting', values);
  }
  if (some('failed')) return words.text('home.state.failed', values);
  if (missingScopes(content).needed.length > 0) return words.text('home.state.permissions', values);
  if (some('unconfirmed')) return words.text('home.state.unconfirmed', values);
  // A run may have failed at a step that only operators see.
  const isReady = run?.status === 'succeeded' || run?.status === 'failed';
  return words.text(isReady ? 'home.state.ready' : 'home.state.installed', values);
}

function facts({ record, words }: HomeContent): [label: string, value: string][] {
  const name = (record: InstallRecord): string =>
    (record.isEnterpriseInstall
      ? (record.enterpriseName ?? record.enterpriseId)
      : (record.teamName ?? record.teamId)) ?? '';
  const label = words.text(record.isEnterpriseInstall ? 'home.fact.organization' : 'home.fact.workspace');
  return [
    [label, escapeMrkdwn(name(record), 300) || '-'],
    [words.text('home.fact.installedBy'), mention(record.installerUserId)],
    [words.text('home.fact.installed'), slackDate(record.installedAt, 'long')],
  ];
}
