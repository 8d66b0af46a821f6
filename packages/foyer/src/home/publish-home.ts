import type { SlackFailure } from '../slack/slack-failure.ts';

/** The person for whom Foyer publishes App Home. */
export interface PublishRequest {
  installationId: string;
  userId: string;
  /**
   * The person's workspace; absent if unknown. For an org-wide install, Foyer learns the workspace only from the event.
   */
  teamId?: string;
  /** Whether the person has just opened App Home. */
  opened?: boolean;
}

/**
 * The outcome of a publish. `unchanged`: Slack already shows this view. `not_installed`: the installation is unknown,
 * uninstalled or without a bot. `not_enabled`: the app's Home tab is off. `token_dead`: the installation's token will
 * never work again, and the installation is marked broken. `rate_limited`, `unreachable`: Foyer retries at the next
 * change or opening. `refused`: Slack refused the view.
 */
export type PublishResult =
  | { published: true; reason: 'sent' }
  | { published: false; reason: 'unchanged' | 'not_installed' }
  | {
      published: false;
      reason: 'not_enabled' | 'token_dead' | 'rate_limited' | 'unreachable' | 'refused';
      failure: SlackFailure;
    };

/** Publishes App Home for one person. Resolves even if Slack refuses the view. @throws DatabaseUnavailableError */
export type PublishHome = (request: PublishRequest) => Promise<PublishResult>;

/**
 * Publishes App Home again for at most 20 people who may be looking at it: the installer, the person of the newest
 * install run, and those who opened Home within about the last hour.
 * @throws DatabaseUnavailableError
 */
export type RepublishHome = (installationId: string) => Promise<PublishResult[]>;
