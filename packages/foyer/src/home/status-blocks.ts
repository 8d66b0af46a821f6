import type { Button, KnownBlock } from '@slack/types';
import type { InstallRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode } from '../slack/slack-text.ts';
import { runForInstallers } from '../texts/create-texts.ts';
import {
  button,
  fields,
  header,
  lines,
  mention,
  outside,
  plainElement,
  section,
  slackDate,
} from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { homeActions, mayAct } from './viewer.ts';

/**
 * Shows the state of the installation, who installed it, where and when. If there is a claim link, also shows a button
 * that leads to it.
 */
export function statusBlocks(content: HomeContent): KnownBlock[] {
  const { claimUrl } = content;
  return [
    stateBlock(content),
    ...(claimUrl === undefined ? [] : [connectBlock(content, claimUrl)]),
    fields(facts(content)),
  ];
}

/** Offers to connect the workspace. The link works for an hour. */
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

/**
 * Returns one sentence about the state of setup. If there are several problems, it describes only the first. It never
 * says that setup is finished while there is a problem.
 */
function stateOf(content: HomeContent, app: string): string {
  const { words } = content;
  const { isEnterpriseInstall } = content.record;
  const run = content.record.run && runForInstallers(content.record.run, content.faces);
  const values = { app, org: isEnterpriseInstall ? 'yes' : 'no' };
  const some = (status: string): boolean => (run?.steps ?? []).some((step) => step.status === status);
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
  // A run can be failed here although no step that installers see has failed: the app's definition now shows the failed
  // step only to operators. To installers, the app is then ready.
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

/** The most scopes that one list shows. */
const mostScopes = 30;

/** Returns the requested scopes that were not granted: those that the app needs, and the optional ones. */
function missingScopes(content: HomeContent): { needed: string[]; declined: string[] } {
  const granted = content.record.botScopes ?? [];
  const missing = content.requestedScopes.filter((scope) => !granted.includes(scope));
  const isOptional = (scope: string): boolean => content.optionalScopes.includes(scope);
  return {
    needed: missing.filter((scope) => !isOptional(scope)),
    declined: missing.filter(isOptional),
  };
}

/** Shows the missing scopes and a way to grant them, the granted scopes, and the optional scopes that were declined. */
export function permissionBlocks(content: HomeContent): KnownBlock[] {
  const { words, record } = content;
  const granted = record.botScopes ?? [];
  const { needed, declined } = missingScopes(content);
  return [
    header(words.text('home.permissions', { app: content.app.name })),
    ...neededBlocks(content, needed),
    ...(granted.length > 0
      ? lines(scopeLines(content, granted))
      : [section(words.text('home.permissions.nothing'))]),
    ...declinedBlocks(content, declined, needed.length === 0),
  ];
}

/**
 * If the installation is active, shows the user scopes that members may grant, and a button to connect or disconnect.
 */
export function accountBlocks(content: HomeContent): KnownBlock[] {
  const { words, record, viewer, memberScopes } = content;
  if (memberScopes.length === 0 || record.status !== 'active') return [];
  const app = escapeMrkdwn(content.app.name, 80);
  const isConnected = viewer.profile?.hasUserToken ?? false;
  const text = words.text(isConnected ? 'home.account.connected' : 'home.account.offer', { app });
  return [
    header(words.text('home.account')),
    section(text, isConnected ? disconnectButton(content) : connectButton(content)),
    ...lines(scopeLines(content, memberScopes, 'user')),
  ];
}

function connectButton({ words, updatePermissionsUrl }: HomeContent): Button {
  const url = new URL(updatePermissionsUrl);
  url.searchParams.set('member', '1');
  return button(words.text('home.account.connect'), homeActions.connectAccount, { url: url.href });
}

function disconnectButton({ words, app }: HomeContent): Button {
  const text = words.text('home.account.disconnect.text', { app: app.name });
  return button(words.text('home.account.disconnect'), homeActions.disconnectAccount, {
    confirm: {
      title: plainElement(words.text('home.account.disconnect.title'), 100),
      text: plainElement(text, 300),
      confirm: plainElement(words.text('home.account.disconnect'), 30),
      deny: plainElement(words.text('home.sendWelcome.cancel'), 30),
    },
  });
}

function scopeLine({ words }: HomeContent, scope: string, as: 'bot' | 'user'): string {
  const sentence = words.scope(scope, as) ?? words.text('landing.unknownScope');
  const reason = words.reason(scope);
  const why =
    reason === undefined ? '' : `\n      _${escapeMrkdwn(words.text('landing.reason', { reason }), 300)}_`;
  return `•  ${escapeMrkdwn(sentence, 300)}  ${mrkdwnCode(scope, 100)}${why}`;
}

function scopeLines(content: HomeContent, scopes: readonly string[], as: 'bot' | 'user' = 'bot'): string[] {
  const texts = scopes.slice(0, mostScopes).map((scope) => scopeLine(content, scope, as));
  const count = scopes.length - texts.length;
  return count > 0 ? [...texts, `_${content.words.text('home.permissions.more', { count })}_`] : texts;
}

function neededBlocks(content: HomeContent, needed: readonly string[]): KnownBlock[] {
  if (needed.length === 0) return [];
  const { words } = content;
  return [
    section(words.text('home.permissions.missing', { count: needed.length }), updateButton(content, true)),
    ...lines(scopeLines(content, needed)),
    section(words.text('home.permissions.granted')),
  ];
}

function declinedBlocks(
  content: HomeContent,
  declined: readonly string[],
  withButton: boolean,
): KnownBlock[] {
  if (declined.length === 0) return [];
  const text = content.words.text('home.permissions.declined');
  return [
    section(text, withButton ? updateButton(content, false) : undefined),
    ...lines(scopeLines(content, declined)),
  ];
}

/**
 * Returns undefined if the person may not install the app again, or if Home already shows "Install again" with this
 * link.
 */
function updateButton(content: HomeContent, isPressing: boolean): Button | undefined {
  const { record, viewer, words, updatePermissionsUrl: url } = content;
  if (!mayAct(record, viewer) || record.status !== 'active') return undefined;
  return button(words.text('home.permissions.update'), homeActions.updatePermissions, {
    url,
    ...(isPressing && { style: 'primary' }),
  });
}
