import type { Logger } from '../config/log.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { InstallationNotFoundError, type InstallationStore } from './installation-store.ts';
import type { ReportConnection } from './report-connection.ts';
import { KeyMissingError, SealBrokenError } from './sealer.ts';
import { TokenRefreshError, type TokenSource } from './token-source.ts';

/**
 * Revokes a member's user token at Slack and erases it in Foyer's database. not_connected: Foyer has no token of the
 * member, or cannot decrypt it. unreachable: Slack did not revoke the token, so Foyer keeps it, and the member can try
 * again.
 * @throws DatabaseUnavailableError
 */
export type DisconnectMember = (
  installationId: string,
  userId: string,
) => Promise<'disconnected' | 'not_connected' | 'unreachable'>;

/** The time limit for Slack's answer. Short, because a person waits for it. */
const timeoutMs = 5000;

export function createDisconnectMember(deps: {
  store: Pick<InstallationStore, 'readInstallation' | 'revokeUserTokens'>;
  tokens: Pick<TokenSource, 'authorize'>;
  slack: SlackClientFactory;
  reportConnection: ReportConnection;
  log: Logger;
}): DisconnectMember {
  const { store, tokens, slack, reportConnection, log } = deps;

  return async (installationId, userId) => {
    const stored = await store.readInstallation(installationId, userId).catch((error) => {
      // A token that cannot be decrypted can be neither used nor revoked.
      if (!(error instanceof SealBrokenError || error instanceof KeyMissingError)) throw error;
      log.warn({ err: error, installationId, userId }, 'a member’s token could not be revoked');
      return undefined;
    });
    if (!stored?.installation.user.token) return 'not_connected';
    const { team, enterprise, isEnterpriseInstall = false } = stored.installation;
    const query = { teamId: team?.id, enterpriseId: enterprise?.id, isEnterpriseInstall };
    try {
      // `authorize` renews an expired token first: if Foyer revoked the expired one, its refresh token would still
      // work.
      const { userToken } = await tokens.authorize({ ...query, userId });
      // The token is stored: if `authorize` returns none, the token has expired and could not be renewed.
      if (userToken === undefined) return 'unreachable';
      // Report to Slack before revoking the token: the report needs it.
      await reportConnection(userToken, userId, 'disconnected');
      await slack(userToken, { timeoutMs }).auth.revoke();
    } catch (error) {
      const isDead = error instanceof InstallationNotFoundError || slackFailure(error)?.kind === 'token-dead';
      if (!isDead && !(error instanceof TokenRefreshError) && !slackFailure(error)) throw error;
      if (!isDead) {
        log.warn({ err: error, installationId, userId }, 'a member’s token could not be revoked');
        return 'unreachable';
      }
    }
    await store.revokeUserTokens(query, { userIds: [userId], reason: 'disconnected' });
    return 'disconnected';
  };
}
