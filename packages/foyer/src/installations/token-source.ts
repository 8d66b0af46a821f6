import type { AuthorizeResult } from '@slack/bolt';
import type { TenantQuery } from './installation-store.ts';

/** A bot's access, as good as it can be had now. */
export interface BotAccess {
  installationId: string;
  token: string;
  botId: string;
  botUserId: string;
  teamId: string | undefined;
  enterpriseId: string | undefined;
}

/** Thrown when a lapsed token could not be renewed. */
export class TokenRefreshError extends Error {
  override readonly name = 'TokenRefreshError';
  readonly code = 'token_refresh_failed';
  /** Slack's error or ours by name, such as `invalid_refresh_token`, `timeout` or `refresh_busy`. */
  readonly reason: string;
  constructor(where: string, reason: string, options?: ErrorOptions) {
    super(`The token of ${where} has lapsed and could not be renewed: ${reason}`, options);
    this.reason = reason;
  }
}

/**
 * Where tokens come from. One that has two hours or less to live is renewed first: once, however many callers and
 * processes ask (invariant 8). While the old one is still valid, nobody waits long for the new one.
 */
export interface TokenSource {
  /**
   * The bot of an installation, by Foyer's id or by query.
   * @throws InstallationNotFoundError, TokenRefreshError, DatabaseUnavailableError, SealBrokenError, KeyMissingError
   */
  bot(installation: string | TenantQuery): Promise<BotAccess>;
  /** Its token alone; throws what `bot` throws. */
  botToken(installation: string | TenantQuery): Promise<string>;
  /**
   * Bolt's `authorize`, with `installationId` beside what Bolt needs. A user token only for the `userId` asked for.
   * Throws what `bot` throws; `no_bot` only where there is no user token either.
   */
  authorize(source: TenantQuery): Promise<AuthorizeResult & { installationId: string }>;
  /**
   * To be told of a failed call: where the error says that the token is dead, and it is still the one that is stored,
   * the installation is marked broken. Resolves to whether it was.
   */
  reportDeadToken(call: { installationId: string; token: string; error: unknown }): Promise<boolean>;
  /** Renews tokens of quiet teams before they lapse, those that lapse first; at most `limit` (50) of each kind. */
  refreshLapsing(limit?: number): Promise<{ refreshed: number; failed: number }>;
  /** Resolves when no renewal is under way: a stop must not lose tokens that Slack has just issued. */
  settle(): Promise<void>;
}
