import type { Installation, InstallationQuery, InstallationStore as SlackStore } from '@slack/oauth';
import type { InstallationStatus } from '../database/records.ts';

/**
 * Which installation is meant, as Slack's events and Bolt give it: `null` and `undefined` are the same everywhere.
 * `tenant.ts` holds the rule.
 */
export interface TenantQuery {
  teamId?: string | null;
  enterpriseId?: string | null;
  userId?: string | null;
  isEnterpriseInstall?: boolean | null;
}

/** Thrown when there is nothing that a token could come from. `reason` says why; a retry never helps. */
export class InstallationNotFoundError extends Error {
  override readonly name = 'InstallationNotFoundError';
  readonly code = 'installation_not_found';
  /** unknown: never installed, or uninstalled; no_bot: it is there, without a bot token. */
  readonly reason: 'unknown' | 'no_bot';
  constructor(where: string, reason: 'unknown' | 'no_bot') {
    super(
      reason === 'unknown'
        ? `The app is not installed for ${where}.`
        : `The app has no bot token for ${where}: it was revoked, or only a person authorized the app.`,
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
  /** Of the bot's tokens. */
  version: number;
  /** Of the user's tokens; null where there are none. */
  userVersion: number | null;
  installedAt: number;
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
}

export interface RecordInstallOptions {
  /** The row of `install_requests` that ends with this install, in the same transaction. */
  installRequestId?: string;
  /** How long a locked database is asked again, in milliseconds. */
  patienceMs?: number;
}

/** When and by what a removal was told. */
export interface RemovalOptions {
  /**
   * When it happened by Slack's clock (`event_time` × 1000, whole seconds). What was installed or renewed after that
   * stays (invariant 7). Left out: it happens now, whatever is stored.
   */
  before?: number;
  /** Slack's `event_id`: tells an event that comes twice from a second event of the same second. */
  eventId?: string;
  /** For the history, such as `app_uninstalled`. */
  reason?: string;
  patienceMs?: number;
}

/** What a removal did; `changed` is false where it came late, twice, or for an unknown installation. */
export interface RemovalOutcome {
  changed: boolean;
  /** The installation it was about, if there is one. */
  installationId: string | undefined;
}

/** Access tokens as a refresh made them. `expiresAt` is in seconds since 1970, as Slack's SDK keeps it. */
export interface RefreshedTokens {
  token: string;
  refreshToken: string;
  expiresAt: number;
}

/**
 * Everything that is done with stored installations. It is also Slack's InstallationStore. Each method throws
 * DatabaseUnavailableError; what takes a query throws TenantUnclearError; what opens tokens throws SealBrokenError and
 * KeyMissingError.
 */
export interface InstallationStore extends Required<SlackStore> {
  /** Slack's name for `recordInstall`. It always starts a run: do not save refreshed tokens with it. */
  storeInstallation(installation: Installation): Promise<void>;
  /** One query. @throws InstallationNotFoundError */
  fetchInstallation(query: TenantQuery | InstallationQuery<boolean>): Promise<Installation>;
  /** With a `userId` that person's token alone; else uninstalls. Repeated or unknown is no error. */
  deleteInstallation(query: TenantQuery | InstallationQuery<boolean>): Promise<void>;

  /** Like `fetchInstallation`, with what is known about it beside; undefined where there is none. One query. */
  findInstallation(query: TenantQuery): Promise<StoredInstallation | undefined>;
  /** By Foyer's own id, with the token of `userId`, else the installer's. One query. */
  readInstallation(installationId: string, userId?: string): Promise<StoredInstallation | undefined>;

  /**
   * Commits an install, its user's token, its history and its run in one transaction (invariant 1). An unfinished run
   * gives way to the new one. A reinstall after an uninstall starts a new life.
   */
  recordInstall(installation: Installation, options?: RecordInstallOptions): Promise<RecordedInstall>;

  /** Erases every token, cancels runs, forgets Home views; the record and its history stay. */
  uninstall(query: TenantQuery, options?: RemovalOptions): Promise<RemovalOutcome>;
  /** Erases the tokens of exactly these people. */
  revokeUserTokens(
    query: TenantQuery,
    userIds: readonly string[],
    options?: RemovalOptions,
  ): Promise<RemovalOutcome>;
  /** Erases the bot's token and marks the installation broken; people's own tokens stay. */
  revokeBot(query: TenantQuery, options?: RemovalOptions): Promise<RemovalOutcome>;
  /**
   * Marks an active installation broken, since Slack refuses its token. With `ifVersion` only while its tokens are
   * those: a newer install is not blamed for an older token. Resolves to whether it changed.
   */
  markBroken(installationId: string, reason: string, ifVersion?: number): Promise<boolean>;
  /**
   * Erases an installation and everything known about its team and people that no other installation needs, out of
   * the files too. Resolves to whether there was one.
   */
  purgeInstallation(installationId: string): Promise<boolean>;

  /** Stores refreshed bot tokens if no newer ones came meanwhile; resolves to whether it did. No history, no run. */
  saveRefreshedBot(installationId: string, ifVersion: number, tokens: RefreshedTokens): Promise<boolean>;
  /** The same for a person's tokens. */
  saveRefreshedUser(
    installationId: string,
    userId: string,
    ifVersion: number,
    tokens: RefreshedTokens,
  ): Promise<boolean>;
}
