import type { AuthorizeResult } from '@slack/bolt';
import type { TokenHolder } from '../database/token-refreshes.ts';
import type { SettledHeld, SettleHeldOptions } from './inactive-installations.ts';
import type { TenantQuery } from './installation-store.ts';

/** A bot's ids and its current token. */
export interface BotAccess {
  installationId: string;
  token: string;
  botId: string;
  botUserId: string;
  teamId: string | undefined;
  enterpriseId: string | undefined;
}

/** Thrown when an expired token could not be renewed. */
export class TokenRefreshError extends Error {
  override readonly name = 'TokenRefreshError';
  readonly code = 'token_refresh_failed';
  /** Slack's error code, or Foyer's own, such as `invalid_refresh_token`, `timeout` or `refresh_busy`. */
  readonly reason: string;
  constructor(where: string, reason: string, options?: ErrorOptions) {
    super(`The token of ${where} has expired and could not be refreshed: ${reason}`, options);
    this.reason = reason;
  }
}

/**
 * Provides tokens. If a token expires within two hours, renews it first, and only once, no matter how many callers and
 * processes ask (invariant 8). While the old token is still valid, no caller waits long for the new one.
 */
export interface TokenSource {
  /**
   * Finds the bot of an installation, by Foyer's id or by a query.
   * @throws InstallationNotFoundError, TokenRefreshError, DatabaseUnavailableError, SealBrokenError, KeyMissingError
   */
  bot(installation: string | TenantQuery): Promise<BotAccess>;
  /** Like `bot`, but resolves to the token alone. */
  botToken(installation: string | TenantQuery): Promise<string>;
  /**
   * Resolves to a person's own token, even if the bot's token is missing or dead; undefined if the person has none.
   * @throws what `bot` throws, except that a missing bot is no error
   */
  userToken(installationId: string, userId: string): Promise<string | undefined>;
  /**
   * Bolt's `authorize`, with `installationId` added. Returns a user token only for the requested `userId`. Throws what
   * `bot` throws; a missing bot is an error (`no_bot`) only if there is no user token either.
   */
  authorize(source: TenantQuery): Promise<AuthorizeResult & { installationId: string }>;
  /**
   * Call this after a failed call to Slack. If the error says that the token is dead, and that token is still stored,
   * does what `tokenDied` does. Resolves to whether anything changed.
   */
  reportDeadToken(call: { installationId: string; token: string; error: unknown }): Promise<boolean>;
  /**
   * Handles a bot token that Slack refused with the error `code`. After `account_inactive`, the team may have removed
   * the app, and Slack's uninstall event may never come. So this function tests the token of another installation, and
   * tests this token again with `auth.test`. If the other token works, and Slack refuses this token with the same
   * error, marks the installation uninstalled. In all other cases, marks it broken. Resolves to whether anything
   * changed.
   */
  tokenDied(dead: { installationId: string; code: string }): Promise<boolean>;
  /**
   * Renews a token that has expired or expires within ten seconds, for a caller that is about to revoke it. Does
   * nothing for any other token.
   * @throws TokenRefreshError, and the store's errors if the token cannot be decrypted
   */
  renewExpired(holder: TokenHolder): Promise<void>;
  /**
   * Renews tokens that are about to expire: those of at most `limit` (50) bots and at most `limit` people, beginning
   * with the ones that expire first.
   */
  refreshLapsing(limit?: number): Promise<{ refreshed: number; failed: number }>;
  /**
   * Tests the tokens of held installations again. An installation is held if Slack called it inactive, and Foyer found
   * no other installation whose token works. If Slack now accepts the token, marks the installation active and repeats
   * its failed steps. If Slack still calls it inactive while another installation's token works, uninstalls it. If
   * Slack gives another reason, marks it broken for that reason. Otherwise it stays held. Tests at most `limit` (500)
   * installations, and only a few while the app is suspended.
   */
  settleHeld(options?: SettleHeldOptions): Promise<SettledHeld>;
  /**
   * Resolves to whether Slack accepts the bot token of at least one installation. If not, Slack may have suspended the
   * app, and then refuses all tokens. Tests two tokens at most.
   */
  appWorks(): Promise<boolean>;
  /**
   * Resolves when no renewal is in progress. A stopping Foyer waits for this, or it could lose tokens that Slack has
   * just issued.
   */
  settle(): Promise<void>;
}
