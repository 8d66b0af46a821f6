import type { SlackFailure } from '../slack/slack-failure.ts';

/** For whom App Home is published. */
export interface PublishRequest {
  installationId: string;
  userId: string;
  /** The workspace in which the person is, where it is known; an org-wide install knows it from the event alone. */
  teamId?: string;
  /** Whether the person has just opened App Home. */
  opened?: boolean;
}

/**
 * What became of a publish. `unchanged`: Slack shows just that already. `not_installed`: unknown, uninstalled or without a bot.
 * `not_enabled`: the app's Home tab is off. `token_dead`: the installation's token will never work again, and it is
 * marked broken. `rate_limited`, `unreachable`: the next change tries again. `refused`: Slack said no for good.
 */
export type PublishResult =
  | { published: true; reason: 'sent' }
  | { published: false; reason: 'unchanged' | 'not_installed' }
  | {
      published: false;
      reason: 'not_enabled' | 'token_dead' | 'rate_limited' | 'unreachable' | 'refused';
      failure: SlackFailure;
    };

/** Publishes App Home for one person. Never throws for an answer of Slack's. @throws DatabaseUnavailableError */
export type PublishHome = (request: PublishRequest) => Promise<PublishResult>;

/**
 * Publishes App Home anew for everybody who may be looking: the installer, the person of the newest run, and those who
 * opened it within the last hour. @throws DatabaseUnavailableError
 */
export type RepublishHome = (installationId: string) => Promise<PublishResult[]>;
