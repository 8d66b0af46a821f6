import type { Button, KnownBlock } from '@slack/types';
import { escapeMrkdwn, mrkdwnCode } from '../slack/escape-mrkdwn.ts';
import { button, header, lines, plainElement, section } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { homeActions, mayAct } from './may-act.ts';

/** The most scopes that one list names. */
const mostScopes = 30;

/** Returns the requested scopes that were not granted: those that the app needs, and the optional ones. */
export function missingScopes(content: HomeContent): { needed: string[]; declined: string[] } {
  const granted = content.record.botScopes ?? [];
  const missing = content.requestedScopes.filter((scope) => !granted.includes(scope));
  const isOptional = (scope: string): boolean => content.optionalScopes.includes(scope);
  return {
    needed: missing.filter((scope) => !isOptional(scope)),
    declined: missing.filter(isOptional),
  };
}

/** Shows the missing scopes with a way to grant them, the granted ones, and the optional ones that were declined. */
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

/** Shows what the app may do on the viewer's behalf, with their button for it, if the app asks members for that. */
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

/** Undefined if the person may not install the app again, or if "Install again", which leads to the same, is shown. */
function updateButton(content: HomeContent, isPressing: boolean): Button | undefined {
  const { record, viewer, words, updatePermissionsUrl: url } = content;
  if (!mayAct(record, viewer) || record.status !== 'active') return undefined;
  return button(words.text('home.permissions.update'), homeActions.updatePermissions, {
    url,
    ...(isPressing && { style: 'primary' }),
  });
}
