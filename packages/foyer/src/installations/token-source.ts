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
 * Provides tokens. A token that expires within two hours is renewed first, and only once, however many callers and
 * processes ask (invariant 8). While the old one is still valid, no caller waits long for the new one.
 */
export interface TokenSource {
  /**
   * The bot of an installation, by Foyer's id or by query.
   * @throws InstallationNotFoundError, TokenRefreshError, DatabaseUnavailableError, SealBrokenError, KeyMissingError
   */
  bot(installation: string | TenantQuery): Promise<BotAccess>;
  /** Only the bot's token; throws what `bot` throws. */
  botToken(installation: string | TenantQuery): Promise<string>;
  /**
   * Bolt's `authorize`, with `installationId` added. Returns a user token only for the requested `userId`. Throws what
   * `bot` throws, but `no_bot` only if there is no user token either.
   */
  authorize(source: TenantQuery): Promise<AuthorizeResult & { installationId: string }>;
  /**
   * Reports a failed call. If the error says that the token is dead, and the token is still the stored one, does what
   * `tokenDied` does. Resolves to whether anything changed.
   */
  reportDeadToken(call: { installationId: string; token: string; error: unknown }): Promise<boolean>;
  /**
   * Handles a bot token that Slack refused with `code`. For `account_inactive`, the installation is uninstalled if
   * another installation shows that the app works and `auth.test` confirms the code, since Slack's event may never
   * come. Otherwise it is marked broken. Resolves to whether anything changed.
   */
  tokenDied(dead: { installationId: string; code: string }): Promise<boolean>;
  /**
   * Renews a token that has expired or expires within ten seconds, for a caller that is about to revoke it. Does
   * nothing for any other token.
   * @throws TokenRefreshError, and the errors of the store if it cannot be decrypted
   */
  renewExpired(holder: TokenHolder): Promise<void>;
  /**
   * Renews tokens of quiet teams before they expire, earliest first: those of at most `limit` (50) bots and as many
   * people.
   */
  refreshLapsing(limit?: number): Promise<{ refreshed: number; failed: number }>;
  /**
   * Asks Slack again about held installations: those that Slack called inactive while no other installation showed that
   * the app works. If the token of a held installation works, the installation is active again, and its failed steps
   * are repeated. If Slack still calls the installation inactive while another installation's token works, it is
   * uninstalled. Otherwise it stays held, or is marked broken for another reason that Slack gives. Asks about at most
   * `limit` (500) installations, and about few while the app is suspended.
   */
  settleHeld(options?: SettleHeldOptions): Promise<SettledHeld>;
  /** Resolves when no renewal is in progress: a stop must not lose tokens that Slack has just issued. */
  settle(): Promise<void>;
}
