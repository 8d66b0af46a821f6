import type { Logger } from '../config/log.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';

/**
 * Reports to Slack whether a member has connected their account. Calls Slack with that member's token: Slack documents
 * no other kind of token for this. Best effort: a failure is only logged.
 * (docs.slack.dev/authentication/connection-reporting)
 */
export type ReportConnection = (
  token: string,
  userId: string,
  status: 'connected' | 'disconnected',
) => Promise<void>;

/** The time limit for Slack's answer. Short, because a person who disconnects waits for it. */
const timeoutMs = 2000;

/**
 * Creates the function that tells Slack that a person connected or disconnected their account. If `reports` is false,
 * that function does nothing.
 */
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
