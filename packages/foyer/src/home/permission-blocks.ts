import type { Button, KnownBlock } from '@slack/types';
import { counted } from '../config/counted.ts';
import { escapeMrkdwn, mrkdwnCode } from '../slack/escape-mrkdwn.ts';
import { scopeSentence } from '../slack/scope-sentences.ts';
import { button, header, lines, section } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { homeActions } from './may-act.ts';

/** How many scopes one list names. */
const mostScopes = 30;

function scopeLine(scope: string): string {
  const sentence = scopeSentence(scope);
  const name = mrkdwnCode(scope, 100);
  return sentence === scope ? `•  ${name}` : `•  ${escapeMrkdwn(sentence, 200)}  ${name}`;
}

function scopeLines(scopes: readonly string[]): string[] {
  const texts = scopes.slice(0, mostScopes).map(scopeLine);
  const hidden = scopes.length - texts.length;
  return hidden > 0 ? [...texts, `_${counted(hidden, 'more permission')} not listed here._`] : texts;
}

/** What was asked for and not granted, with a way to grant it; what was granted; what was declined as it may be. */
export function permissionBlocks(content: HomeContent): KnownBlock[] {
  const { record, app, optionalScopes } = content;
  const granted = record.botScopes ?? [];
  const missing = content.requestedScopes.filter((scope) => !granted.includes(scope));
  const needed = missing.filter((scope) => !optionalScopes.includes(scope));
  const declined = missing.filter((scope) => optionalScopes.includes(scope));
  return [
    header(`What ${app.name} may do`),
    ...neededBlocks(needed, content.updatePermissionsUrl),
    ...(granted.length > 0 ? lines(scopeLines(granted)) : [section('Nothing was granted.')]),
    ...declinedBlocks(declined, needed.length > 0 ? undefined : content.updatePermissionsUrl),
  ];
}

function neededBlocks(needed: readonly string[], url: string): KnownBlock[] {
  if (needed.length === 0) return [];
  const [are, they] = needed.length === 1 ? ['permission is', 'it is'] : ['permissions are', 'they are'];
  const text = `✕  *${needed.length} ${are} missing.* Some things do not work until ${they} granted.`;
  return [section(text, updateButton(url, true)), ...lines(scopeLines(needed)), section('*Granted*')];
}

function declinedBlocks(declined: readonly string[], url: string | undefined): KnownBlock[] {
  if (declined.length === 0) return [];
  const text = '*Not granted.* This is optional: everything else works without it.';
  return [
    section(text, url === undefined ? undefined : updateButton(url, false)),
    ...lines(scopeLines(declined)),
  ];
}

function updateButton(url: string, pressing: boolean): Button {
  return button('Update permissions', homeActions.updatePermissions, {
    url,
    ...(pressing && { style: 'primary' }),
  });
}
