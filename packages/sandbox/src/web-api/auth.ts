import { revokeTokens, uninstall } from '../installs/end-installs.ts';
import { type Call, type Method, openMethod, tokenMethod } from './method.ts';
import { pageOf } from './page-of.ts';
import { reachableWorkspaces } from './reach.ts';
import { Refusal } from './refusal.ts';
import { teamIcon } from './team.ts';

function describeCaller({ platform, token, installation }: Call) {
  const { world, app } = platform;
  const workspace = world.workspaces.get(installation.teamId ?? '');
  const enterprise = world.enterprises.get(installation.enterpriseId ?? '');
  const domain = workspace ? workspace.domain : `${enterprise?.domain}.enterprise`;
  const isBot = token.kind === 'bot';
  return {
    ok: true,
    url: `https://${domain}.slack.com/`,
    team: workspace?.name ?? enterprise?.name,
    user: isBot
      ? app.settings.botName.toLowerCase().replaceAll(' ', '_')
      : world.people.get(token.userId)?.name,
    team_id: installation.teamId ?? installation.enterpriseId,
    user_id: token.userId,
    ...(isBot ? { bot_id: installation.botId } : {}),
    ...(enterprise ? { enterprise_id: enterprise.id } : {}),
    is_enterprise_install: installation.isEnterpriseInstall,
    ...(token.expiresAt ? { expires_in: Math.floor((token.expiresAt - platform.clock.now()) / 1000) } : {}),
  };
}

export const authTest = tokenMethod('special', [], describeCaller);

/** Revokes the call's token. If it was the installation's last live token, this uninstalls the app. */
export const authRevoke: Method = {
  needs: 'token',
  scopes: [],
  tier: 'tier3',
  run({ platform, args, token, installation }) {
    if (args.flag('test')) return { ok: true, revoked: false };
    // Sends the events in the background: the caller does not wait for the app that receives them.
    void revokeTokens(platform, installation, [token]);
    return { ok: true, revoked: true };
  },
  whenSignedIn({ platform, signIn }) {
    platform.world.signInTokens.delete(signIn.value);
    return { ok: true, revoked: true };
  },
};

export const authTeamsList = tokenMethod('tier2', [], (call) => {
  const limit = call.args.number('limit') ?? 100;
  const { items, nextCursor } = pageOf(reachableWorkspaces(call), limit, call.args.text('cursor'));
  const withIcon = call.args.flag('include_icon');
  return {
    ok: true,
    teams: items.map((each) => ({
      id: each.id,
      name: each.name,
      ...(withIcon ? { icon: teamIcon(call.platform, each) } : {}),
    })),
    response_metadata: { next_cursor: nextCursor },
  };
});

/** Uninstalls the app from the token's workspace or org. The call also needs the client's id and secret. */
export const appsUninstall = tokenMethod('tier1', [], ({ platform, args, installation }) => {
  const { app } = platform;
  if (args.required('client_id') !== app.clientId) throw new Refusal('invalid_client_id');
  if (args.required('client_secret') !== app.clientSecret) throw new Refusal('bad_client_secret');
  void uninstall(platform, installation);
  return { ok: true };
});

/** Echoes its arguments. If the call has an `error` argument, it fails with that error. */
export const apiTest = openMethod('tier4', ({ args }) => {
  const { token: _token, ...echoed } = args.all;
  const error = args.text('error');
  if (error) throw new Refusal(error, { args: echoed });
  return { ok: true, args: echoed };
});
