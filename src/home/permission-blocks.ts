import type { KnownBlock } from '@slack/types';
import { escapeMrkdwn, mrkdwnCode } from '../slack/escape-mrkdwn.ts';
import { scopeSentence } from '../slack/scope-sentences.ts';
import { button, counted, header, lines, section } from './blocks.ts';
import type { HomeContent } from './home-view.ts';
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

/** What was granted, scope by scope; then what was asked for and not granted, with a way to grant it. */
export function permissionBlocks(content: HomeContent): KnownBlock[] {
  const { record, app, optionalScopes } = content;
  const granted = record.botScopes ?? [];
  const missing = content.requestedScopes.filter((scope) => !granted.includes(scope));
  const heading = header(`What ${app.name} may do`);
  const list = granted.length > 0 ? lines(scopeLines(granted)) : [section('Nothing was granted.')];
  if (missing.length === 0) return [heading, ...list];

  const needed = missing.filter((scope) => !optionalScopes.includes(scope));
  const declined = missing.filter((scope) => optionalScopes.includes(scope));
  const update = button('Update permissions', homeActions.updatePermissions, {
    url: content.updatePermissionsUrl,
    ...(needed.length > 0 && { style: 'primary' }),
  });
  const are = needed.length === 1 ? 'permission is' : 'permissions are';
  return [
    heading,
    ...list,
    needed.length > 0
      ? section(
          `*${needed.length} ${are} missing.* Some things will not work until they are granted.`,
          update,
        )
      : section('*Not granted.* These are optional: everything else works without them.', update),
    ...lines(scopeLines(needed)),
    ...(needed.length > 0 && declined.length > 0 ? [section('*Optional, and not granted:*')] : []),
    ...lines(scopeLines(declined)),
  ];
}
