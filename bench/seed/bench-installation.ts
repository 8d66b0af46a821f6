import type { Installation } from '@slack/oauth';
import { app, installerIdOf, teamIdOf } from '../load/signed-events.ts';

/** The bot scopes in `manifest.json`. Every team has granted them. */
export const botScopes = [
  'chat:write',
  'im:write',
  'im:history',
  'users:read',
  'users:read.email',
  'team:read',
];

/** A made-up bot token, as long as a real one. It contains the id of its team. */
export const botTokenOf = (number: number): string =>
  `xoxb-1111111111-2222222222222-${teamIdOf(number)}benchbenchbench`;

/** The install of the team with this number, as Slack's InstallProvider builds it. */
export function installationOf(number: number): Installation<'v2', false> {
  return {
    team: { id: teamIdOf(number), name: `Team ${number} of Acme` },
    enterprise: undefined,
    user: { token: undefined, scopes: undefined, id: installerIdOf(number) },
    tokenType: 'bot',
    isEnterpriseInstall: false,
    appId: app.id,
    authVersion: 'v2',
    bot: { scopes: botScopes, token: botTokenOf(number), userId: app.botUserId, id: 'B0BENCHBOT0' },
  };
}
