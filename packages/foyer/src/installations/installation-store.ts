import type { Installation } from '@slack/oauth';
import type { Tx } from '../database/database.ts';
import type { InstallationStatus } from '../database/records.ts';
import type { TokenHolder } from '../database/token-refreshes.ts';

/**
 * Which installation is meant, as Slack's events and Bolt give it: `null` and `undefined` are the same everywhere.
 * `tenant.ts` holds the rule. Slack's own `InstallationQuery` is one of these.
 */
export interface TenantQuery {
  teamId?: string | null;
  enterpriseId?: string | null;
  userId?: string | null;
  isEnterpriseInstall?: boolean | null;
}

/** Thrown when there is nothing that a token could come from. A retry never helps. */
export class InstallationNotFoundError extends Error {
  override readonly name = 'InstallationNotFoundError';
  readonly code = 'installation_not_found';
  /** unknown: never installed, or uninstalled; no_bot: installed without a bot token; no_user: without that user's token. */
  readonly reason: 'unknown' | 'no_bot' | 'no_user';
  constructor(where: string, reason: 'unknown' | 'no_bot' | 'no_user') {
    super(
      {
        unknown: `The app is not installed for ${where}.`,
        no_bot: `The app has no bot token for ${where}: it was revoked, or only a person authorized the app.`,
        no_user: `The app has no user token for ${where}: they did not authorize it, or it was revoked.`,
      }[reason],
    );
    this.reason = reason;
  }
}

/** Thrown when a query or an installation names neither a team nor, where it must, an enterprise. */
export class TenantUnclearError extends Error {
  override readonly name = 'TenantUnclearError';
  readonly code = 'tenant_unclear';
}

/** An installation as stored, with its tokens. */
export interface StoredInstallation {
  installationId: string;
  /** `team:T…` or `enterprise:E…`. */
  tenant: string;
  status: Exclude<InstallationStatus, 'uninstalled'>;
  life: number;
  installedAt: number;
  /** Of the bot's tokens: one more at each change. */
  version: number;
  /** Of the user's tokens; null where there are none. */
  userVersion: number | null;
  /** Slack's shape. Its user half is that of the user asked for, else the installer's. */
  installation: Installation;
}

/** What became of an install. */
export interface RecordedInstall {
  installationId: string;
  life: number;
  runId: string;
  /** user_authorized: a person authorized an app whose bot half was left as it was. */
  kind: 'installed' | 'reinstalled' | 'user_authorized';
  /** Whether this is the tenant's first install. */
  created: boolean;
  /** Whether it follows an uninstall. */
  isNewLife: boolean;
}

export interface RecordInstallOptions {
  /** The row of `install_requests` that ends with this install, in the same transaction. */
  installRequestId?: string;
  /** When Slack issued the tokens, by Slack's clock, in milliseconds: what later events are compared with. */
  issuedAt?: number;
  /** How long a locked database is asked again, in milliseconds. */
  patienceMs?: number;
  /**
   * Writes what must be committed with the install or not at all; the installation's row is locked. What it throws
   * undoes the install. Nothing but queries, and may run again.
   */
  commitWith?(transaction: Tx, recorded: RecordedInstall): Promise<void>;
}

/** When and by what a removal was told. */
export interface RemovalOptions {
  /**
   * When it happened by Slack's clock: `event_time` × 1000, so a whole second. What was installed or renewed after
   * that stays (invariant 7, `event-order.ts`). Left out: it happens now, whatever is stored.
   */
  before?: number;
  /** Slack's `event_id`: tells a delivery that comes twice from a second event of the same second. */
  eventId?: string;
  /** For the history, such as `app_uninstalled`. */
  reason?: string;
  patienceMs?: number;
}

/** Tokens as a refresh made them. `expiresAt` is in seconds since 1970, as Slack's SDK keeps it. */
export interface RefreshedTokens {
  token: string;
  refreshToken: string;
  expiresAt: number;
}

/**
 * Everything that is done with stored installations. Each method throws DatabaseUnavailableError; what takes a query
 * throws TenantUnclearError; what opens tokens throws SealBrokenError and KeyMissingError.
 */
export interface InstallationStore {
  /** What Slack's InstallationStore does, by the same name. One query. @throws InstallationNotFoundError */
  fetchInstallation(query: TenantQuery): Promise<Installation>;
  /** Like `fetchInstallation`, with what is known about it beside; undefined where there is none. One query. */
  findInstallation(query: TenantQuery): Promise<StoredInstallation | undefined>;
  /**
   * Which of these queries means an installation that is known: the first whose installation is not uninstalled, else
   * the first that is known at all, else the first. One query; it opens no token.
   */
  findTenant<Query extends TenantQuery>(candidates: readonly Query[]): Promise<Query>;
  /** By Foyer's own id, with the tokens of `userId`, else the installer's. One query. */
  readInstallation(installationId: string, userId?: string): Promise<StoredInstallation | undefined>;

  /**
   * Commits an install, its user's token, its history and its run in one transaction (invariant 1). The runs that it
   * replaces are cancelled. An install that follows an uninstall starts a new life.
   */
  recordInstall(installation: Installation, options?: RecordInstallOptions): Promise<RecordedInstall>;
  /** What Slack's InstallationStore does, by the same name: `recordInstall`. Not for refreshed tokens. */
  storeInstallation(installation: Installation): Promise<void>;

  /**
   * Uninstalls: erases every token, cancels runs, forgets Home views; the record and its history stay. With a `userId`
   * it erases that person's token alone. Resolves to whether anything changed: late, repeated and unknown are no error.
   */
  deleteInstallation(query: TenantQuery, options?: RemovalOptions): Promise<boolean>;
  /** Erases the tokens of exactly these people; resolves to whether there were any. */
  revokeUserTokens(
    query: TenantQuery,
    revocation: RemovalOptions & { userIds: readonly string[] },
  ): Promise<boolean>;
  /**
   * Erases the bot's token and marks the installation broken; people's own tokens stay. With `botUserIds`, only if its
   * own bot user is among them. Resolves to whether there was a token.
   */
  revokeBot(
    query: TenantQuery,
    revocation?: RemovalOptions & { botUserIds?: readonly string[] },
  ): Promise<boolean>;
  /**
   * Marks an active installation broken, since Slack refuses its token. With `ifVersion` only while its tokens are
   * those: a newer install is not blamed for an older token. Resolves to whether it changed.
   */
  markBroken(installationId: string, reason: string, ifVersion?: number): Promise<boolean>;
  /**
   * Records in which workspaces of an enterprise an org-wide install may act, even before the install is known. A
   * grant makes due what waits for it. What is older than what is known changes nothing. Resolves to whether anything
   * changed.
   */
  recordTeamAccess(
    query: TenantQuery,
    access: { teamIds: readonly string[]; granted: boolean; changedAt: number; patienceMs?: number },
  ): Promise<boolean>;
  /**
   * Erases an installation and everything about its team and people that no other installation needs, out of the files
   * too. Resolves to whether there was one.
   */
  purgeInstallation(installationId: string): Promise<boolean>;

  /**
   * Stores refreshed tokens unless newer ones came meanwhile (invariant 8); resolves to whether it did. It writes no
   * history and starts no run.
   */
  saveRefreshed(holder: TokenHolder, ifVersion: number, tokens: RefreshedTokens): Promise<boolean>;
  /** Erases a person's token that Slack refuses for good, if it is still the one of `ifVersion`. */
  dropDeadUserToken(holder: Required<TokenHolder>, reason: string, ifVersion: number): Promise<boolean>;
}
