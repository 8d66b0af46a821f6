import type { Logger } from '../config/log.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';

/**
 * Reports to Slack whether a member has connected their account, with that member's own token: Slack documents no other
 * kind of token for this. Best effort: a failure is only logged. (docs.slack.dev/authentication/connection-reporting)
 */
export type ReportConnection = (
  token: string,
  userId: string,
  status: 'connected' | 'disconnected',
) => Promise<void>;

/** Short: before a disconnect, a person waits for the answer. */
const timeoutMs = 2000;

/** Creates the function that reports; it does nothing for an app that does not report connections. */
export function createReportConnection(deps: {
  reports: boolean;
  slack: SlackClientFactory;
  log: Logger;
}): ReportConnection {
  return async (token, userId, status) => {
    if (!deps.reports) return;
    try {
      await deps.slack(token, { timeoutMs }).apps.user.connection.update({ user_id: userId, status });
    } catch (error) {
      if (!slackFailure(error)) throw error;
      deps.log.warn(
        { err: error, userId, status },
        'could not report to Slack that an account was connected or disconnected',
      );
    }
  };
}
