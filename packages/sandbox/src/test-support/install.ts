import assert from 'node:assert/strict';
import { type Logger, LogLevel, type OauthV2AccessResponse, WebClient } from '@slack/web-api';
import type { Sandbox } from '../sandbox.ts';

export const redirectUri = 'http://127.0.0.1:9/slack/oauth_redirect';

/** A manifest with everything that the sandbox's own tests use. */
export const testManifest = {
  display_information: { name: 'Porter', description: 'Carries things.' },
  features: {
    app_home: { home_tab_enabled: true, messages_tab_enabled: true },
    bot_user: { display_name: 'Porter' },
  },
  oauth_config: {
    redirect_urls: [redirectUri],
    scopes: {
      bot: [
        'chat:write',
        'im:write',
        'im:history',
        'users:read',
        'users:read.email',
        'team:read',
        'incoming-webhook',
      ],
      bot_optional: ['users:read.email'],
      user: ['users:read'],
    },
  },
  settings: {
    event_subscriptions: {
      request_url: 'http://127.0.0.1:9/slack/events',
      bot_events: [
        'app_home_opened',
        'app_uninstalled',
        'tokens_revoked',
        'team_access_granted',
        'team_access_revoked',
        'message.im',
      ],
    },
    interactivity: { is_enabled: true, request_url: 'http://127.0.0.1:9/slack/events' },
    org_deploy_enabled: true,
  },
};

const botScopes = 'chat:write,im:write,im:history,users:read,users:read.email,team:read';

export function authorizeUrl(sandbox: Sandbox, parameters: Record<string, string> = {}): string {
  const query = {
    client_id: sandbox.app.clientId,
    scope: botScopes,
    redirect_uri: redirectUri,
    state: 'st4te',
  };
  return `${sandbox.authorizationUrl}?${new URLSearchParams({ ...query, ...parameters })}`;
}

/** These tests cause refusals on purpose, so the client does not log them. */
const silence = () => {};
const logger: Logger = {
  debug: silence,
  info: silence,
  warn: silence,
  error: silence,
  setLevel: silence,
  getLevel: () => LogLevel.ERROR,
  setName: silence,
};

/** A Slack client that fails immediately instead of retrying. */
export function clientFor(sandbox: Sandbox, token?: string): WebClient {
  return new WebClient(token, {
    slackApiUrl: sandbox.apiUrl,
    logger,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
}

/** Consents as a person, for a workspace or an org. Returns the code that the app gets. */
export async function codeFrom(
  sandbox: Sandbox,
  options: {
    teamId?: string;
    enterpriseId?: string;
    userId: string;
    parameters?: Record<string, string>;
    declinedScopes?: string[];
  },
): Promise<string> {
  const { parameters, ...choice } = options;
  const location = await sandbox.consent({ authorizeUrl: authorizeUrl(sandbox, parameters), ...choice });
  const code = new URL(location).searchParams.get('code');
  assert.ok(code);
  return code;
}

export async function exchange(sandbox: Sandbox, code: string): Promise<OauthV2AccessResponse> {
  const { clientId, clientSecret } = sandbox.app;
  return clientFor(sandbox).oauth.v2.access({
    client_id: clientId,
    client_secret: clientSecret,
    code,
    redirect_uri: redirectUri,
  });
}

export type Installed = {
  client: WebClient;
  token: string;
  teamId: string;
  userId: string;
  answer: OauthV2AccessResponse;
};

/** Installs the app in a workspace, as the workspace's owner. */
export async function install(
  sandbox: Sandbox,
  name = 'Acme',
  options: { parameters?: Record<string, string>; declinedScopes?: string[] } = {},
): Promise<Installed> {
  const { id: teamId } = sandbox.workspace(name);
  const { id: userId } = sandbox.person(name);
  const answer = await exchange(sandbox, await codeFrom(sandbox, { teamId, userId, ...options }));
  const token = answer.access_token ?? '';
  return { client: clientFor(sandbox, token), token, teamId, userId, answer };
}

/** Checks that Slack refuses a call with this error. Returns Slack's answer. */
export async function refused(call: Promise<unknown>, error: string): Promise<Record<string, unknown>> {
  let answer: Record<string, unknown> = {};
  await assert.rejects(call, (thrown: Error & { data?: Record<string, unknown> }) => {
    answer = thrown.data ?? {};
    assert.equal(answer.error, error);
    return true;
  });
  return answer;
}
