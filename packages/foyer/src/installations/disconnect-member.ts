import type { Logger } from '../config/log.ts';
import { inactiveCode } from '../database/installations.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import type { InstallationStore } from './installation-store.ts';
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
  tokens: Pick<TokenSource, 'renewExpired' | 'appWorks'>;
  slack: SlackClientFactory;
  reportConnection: ReportConnection;
  log: Logger;
}): DisconnectMember {
  const { store, tokens, slack, reportConnection, log } = deps;

  return async (installationId, userId) => {
    try {
      // An expired token is renewed first: if Foyer revoked the expired token, the refresh token would still work.
      await tokens.renewExpired({ installationId, userId });
      const stored = await store.readInstallation(installationId, userId);
      const userToken = stored?.installation.user.token;
      if (!stored || !userToken) return 'not_connected';
      if (!(await revoke(userToken, { installationId, userId }))) return 'unreachable';
      const { team, enterprise, isEnterpriseInstall = false } = stored.installation;
      const query = { teamId: team?.id, enterpriseId: enterprise?.id, isEnterpriseInstall };
      await store.revokeUserTokens(query, { userIds: [userId], reason: 'disconnected' });
      return 'disconnected';
    } catch (error) {
      // A token that cannot be decrypted can be neither used nor revoked.
      const isSealed = error instanceof SealBrokenError || error instanceof KeyMissingError;
      if (!isSealed && !(error instanceof TokenRefreshError)) throw error;
      log.warn({ err: error, installationId, userId }, 'a member’s token could not be revoked');
      return isSealed ? 'not_connected' : 'unreachable';
    }
  };

  /** Revokes a token; resolves to whether it is invalid now. */
  async function revoke(token: string, member: { installationId: string; userId: string }): Promise<boolean> {
    try {
      // Report to Slack before revoking the token: the report needs it.
      await reportConnection(token, member.userId, 'disconnected');
      await slack(token, { timeoutMs }).auth.revoke();
      return true;
    } catch (error) {
      const failure = slackFailure(error);
      if (!failure) throw error;
      // While the app is suspended, Slack answers `account_inactive` for every token. After the suspension, the
      // member's token works again.
      const isDead =
        failure.kind === 'token-dead' && (failure.code !== inactiveCode || (await tokens.appWorks()));
      if (!isDead) log.warn({ err: error, ...member }, 'a member’s token could not be revoked');
      return isDead;
    }
  }
}
