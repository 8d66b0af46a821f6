import type { Installation } from '@slack/oauth';
import type { Tx } from '../database/database.ts';
import type { InstallationStatus, Moment } from '../database/records.ts';
import type { TokenHolder } from '../database/token-refreshes.ts';

/**
 * Names an installation as Slack's events and Bolt do. In every field, `null` means the same as `undefined`.
 * `tenantOfQuery` decides which installation a query means. Slack's `InstallationQuery` is assignable to this type.
 */
export interface TenantQuery {
  teamId?: string | null;
  enterpriseId?: string | null;
  userId?: string | null;
  isEnterpriseInstall?: boolean | null;
}

/** Thrown when there is no token to return. A retry never helps. */
export class InstallationNotFoundError extends Error {
  override readonly name = 'InstallationNotFoundError';
  readonly code = 'installation_not_found';
  /**
   * unknown: the app was never installed there, or was uninstalled. no_bot: there is no bot token. no_user: there is no
   * token of that user.
   */
  readonly reason: 'unknown' | 'no_bot' | 'no_user';
  constructor(where: string, reason: 'unknown' | 'no_bot' | 'no_user') {
    super(
      {
        unknown: `The app is not installed for ${where}.`,
        no_bot: `The app has no bot token for ${where}: it was revoked, or only a person authorized the app.`,
        no_user: `The app has no user token for ${where}: this person did not authorize the app, or the token was revoked.`,
      }[reason],
    );
    this.reason = reason;
  }
}

/** Thrown when a query or an installation lacks the team id or the enterprise id that it needs. */
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
  /** The version of the bot's tokens: a number that each change increases by 1. */
  version: number;
  /** The version of the user's tokens; null if there are none. */
  userVersion: number | null;
  /** Slack's own `Installation` object. Its `user` is the requested user, or the installer if no user was requested. */
  installation: Installation;
}

/** The outcome of an install. */
export interface RecordedInstall {
  installationId: string;
  life: number;
  runId: string;
  /** user_authorized: a person authorized the app for their own account; the bot's tokens did not change. */
  kind: 'installed' | 'reinstalled' | 'user_authorized';
  /** Whether this is the tenant's first install. */
  created: boolean;
  /** Whether this install follows an uninstall. */
  isNewLife: boolean;
}

/** Thrown when a member connects their account in a workspace that does not have the app. */
export class AppNotInstalledError extends Error {
  override readonly name = 'AppNotInstalledError';
  readonly code = 'not_installed';
}

/** What Foyer stores together with an install or a member's authorization. */
export interface RecordInstallOptions {
  /** The id of the row of `install_requests` that this install finishes, in the same transaction. */
  installRequestId?: string;
  /**
   * Whether Slack issued tokens that the installation does not use. If so, the row of `install_requests` keeps them
   * until the caller has revoked them.
   */
  leavesTokens?: boolean;
  /**
   * When Slack issued the tokens, by Slack's clock, in milliseconds. Foyer compares the times of later events with it.
   */
  issuedAt?: number;
  /** How long to retry while the database is locked, in milliseconds. */
  patienceMs?: number;
  /**
   * Writes what must be committed together with the install, while the installation's row is locked. If it throws, the
   * install is rolled back. It may run more than once, so it must do nothing but queries.
   */
  commitWith?(transaction: Tx, recorded: RecordedInstall): Promise<void>;
}

/** When a removal happened, and which event reported it. */
export interface RemovalOptions {
  /**
   * When the removal happened, by Slack's clock: `event_time` × 1000, and thus a whole second. The removal does not
   * apply to an install or renewal after this time: a stale event changes nothing (invariant 7,
   * `lifecycle-changes.ts`). If `before` is not given, the removal counts as happening now, and applies to any stored
   * install.
   */
  before?: number;
  /** Slack's `event_id`: distinguishes a repeated delivery from another event in the same second. */
  eventId?: string;
  /**
   * If given, an uninstall applies only if the bot's tokens still have this version: it must not end a newer install.
   */
  ifVersion?: number;
  /** The reason that the history shows, such as `app_uninstalled`. */
  reason?: string;
  patienceMs?: number;
}

/** Tokens from a refresh. `expiresAt` is in seconds since 1970, as Slack's SDK keeps it. */
export interface RefreshedTokens {
  token: string;
  refreshToken: string;
  expiresAt: number;
}

/**
 * All operations on stored installations. Each method throws DatabaseUnavailableError. Those that take a query or an
 * installation throw TenantUnclearError; those that open tokens throw SealBrokenError and KeyMissingError.
 */
export interface InstallationStore {
  /** Implements Slack's InstallationStore. One database query at most. @throws InstallationNotFoundError */
  fetchInstallation(query: TenantQuery): Promise<Installation>;
  /**
   * Like `fetchInstallation`, but with Foyer's own fields, and undefined if there is no such installation. One database
   * query at most.
   */
  findInstallation(query: TenantQuery): Promise<StoredInstallation | undefined>;
  /**
   * Picks the installation that an event is about: the first candidate that was still installed at the time of the
   * event. Allows for Slack's clock being a minute ahead of Foyer's. If all were uninstalled by then, picks the first
   * candidate that Foyer has stored, or else the first one. Why the time matters: Slack may repeat the uninstall
   * event of a workspace's own install. Without the time, the repeat would uninstall the org-wide install. Decrypts no
   * token.
   */
  findTenant<Query extends TenantQuery>(candidates: readonly Query[], happenedAt?: number): Promise<Query>;
  /** Like `findInstallation`, but by Foyer's own id. Without `userId`, its `user` is the installer. */
  readInstallation(installationId: string, userId?: string): Promise<StoredInstallation | undefined>;

  /**
   * Commits an install, its user's token, its history and its run in one transaction (invariant 1), and cancels the
   * runs that the new one replaces. An install after an uninstall starts a new life.
   */
  recordInstall(installation: Installation, options?: RecordInstallOptions): Promise<RecordedInstall>;
  /**
   * Commits a member's user token and registers the member. The installation and its runs do not change.
   * @throws AppNotInstalledError if the app is installed neither in the workspace nor in its organization
   */
  recordMember(
    installation: Installation,
    options?: Omit<RecordInstallOptions, 'commitWith'>,
  ): Promise<{ installationId: string }>;
  /**
   * Implements Slack's InstallationStore by calling `recordInstall`. To store refreshed tokens, use `saveRefreshed`.
   */
  storeInstallation(installation: Installation): Promise<void>;

  /**
   * Uninstalls: erases every token, cancels runs, deletes Home views, and queues the uninstall run if its pipeline has
   * steps; the record and its history stay. With a `userId`, erases only that person's token. Resolves to whether
   * anything changed: a late, repeated or unknown removal is not an error.
   */
  deleteInstallation(query: TenantQuery, options?: RemovalOptions): Promise<boolean>;
  /** Erases the user tokens of exactly these people; resolves to whether it erased any. */
  revokeUserTokens(
    query: TenantQuery,
    revocation: RemovalOptions & { userIds: readonly string[] },
  ): Promise<boolean>;
  /**
   * Erases the bot's token, marks the installation broken and cancels its runs; user tokens stay. With `botUserIds`,
   * does so only if the installation's bot user is among them. Resolves to whether it erased a token.
   */
  revokeBot(
    query: TenantQuery,
    revocation?: RemovalOptions & { botUserIds?: readonly string[] },
  ): Promise<boolean>;
  /**
   * Marks an active installation broken, because Slack refuses its token. If the installation is already broken with
   * `account_inactive` (held), replaces the reason, unless the new reason is the same. With `ifVersion`, changes the
   * installation only if the bot's tokens still have that version: an old token must not break a newer install.
   * Resolves to whether the installation changed.
   */
  markBroken(installationId: string, reason: string, ifVersion?: number): Promise<boolean>;
  /**
   * Marks a held installation active after Slack has accepted its token of version `ifVersion`. Repeats the steps that
   * failed because Slack called the installation inactive. Resolves to whether the installation changed.
   */
  markWorking(installationId: string, ifVersion: number): Promise<boolean>;
  /**
   * Records whether an org-wide install may act in these workspaces of its enterprise, even if Foyer has not stored the
   * install yet. If access is granted, queues the runs that waited for it. If access is revoked, ends the workspaces'
   * sessions. If a newer change is already recorded, changes nothing. Resolves to whether anything changed.
   */
  recordTeamAccess(
    query: TenantQuery,
    access: { teamIds: readonly string[]; granted: boolean; changedAt: number; patienceMs?: number },
  ): Promise<boolean>;
  /**
   * Starts the run of the `opened` pipeline if the installation is active, and if this is the member's first opening of
   * the app in the installation's current `life`. Resolves to whether a run was started. A later opening costs one read
   * and no write.
   */
  recordOpening(
    query: TenantQuery,
    opening: Omit<Extract<Moment, { kind: 'opened' }>, 'kind'> & { openedAt: number; patienceMs?: number },
  ): Promise<boolean>;
  /**
   * Erases an installation and everything about its team and the team's people, from the database files too. Resolves
   * to whether there was such an installation.
   */
  purgeInstallation(installationId: string): Promise<boolean>;

  /**
   * Stores refreshed tokens and resolves to true. If newer ones were stored first, changes nothing and resolves to
   * false: a slow refresh never overwrites a newer install (invariant 8). Writes no history and starts no run.
   */
  saveRefreshed(holder: TokenHolder, ifVersion: number, tokens: RefreshedTokens): Promise<boolean>;
  /**
   * Erases a person's token after Slack has refused it permanently, if the token's version is still `ifVersion`.
   * Resolves to whether it erased the token.
   */
  dropDeadUserToken(holder: Required<TokenHolder>, reason: string, ifVersion: number): Promise<boolean>;
}

/**
 * A team's id alone identifies its installation: a team keeps its id when it joins an enterprise, and later events name
 * that enterprise, although Slack named none at the install. An org-wide installation needs `isEnterpriseInstall`,
 * because one enterprise may have an org-wide install and installs of single teams.
 */

/** Returns the tenant that a query identifies. @throws TenantUnclearError */
export function tenantOfQuery(query: TenantQuery): string {
  for (const name of ['teamId', 'enterpriseId', 'userId'] as const) checkId(name, query?.[name]);
  const { teamId, enterpriseId, isEnterpriseInstall } = query ?? {};
  if (typeof isEnterpriseInstall === 'string' && isEnterpriseInstall !== '') {
    throw new TenantUnclearError('isEnterpriseInstall must be true, false or undefined, not a string.');
  }
  if (isEnterpriseInstall) {
    if (enterpriseId) return `enterprise:${enterpriseId}`;
    throw new TenantUnclearError(
      `An org-wide installation was requested without its enterprise id${teamId ? ` (team ${teamId})` : ''}.`,
    );
  }
  if (teamId) return `team:${teamId}`;
  // Slack may send an event of an org-wide install without `authorizations`: then the query has only the enterprise id.
  if (enterpriseId) return `enterprise:${enterpriseId}`;
  throw new TenantUnclearError('An installation was requested with neither a team id nor an enterprise id.');
}

/** A plain JavaScript caller can pass any value; null and the empty string mean no id. @throws TenantUnclearError */
function checkId(name: string, id: unknown): void {
  // Postgres refuses U+0000 in a query, and no id contains it.
  if (id == null || (typeof id === 'string' && !id.includes('\0'))) return;
  throw new TenantUnclearError(
    `${name} is not a Slack id: give a string such as "T0123ABCD", or leave it undefined.`,
  );
}

/** The tenant of an installation. @throws TenantUnclearError */
export function tenantOfInstallation(installation: Installation): string {
  const { team, enterprise, user, isEnterpriseInstall } = installation;
  if (!user.id) throw new TenantUnclearError('The installation has no user id.');
  if (isEnterpriseInstall && !enterprise?.id) {
    throw new TenantUnclearError('The org-wide installation has no enterprise id.');
  }
  if (!isEnterpriseInstall && !team?.id) {
    throw new TenantUnclearError('The installation has no team id, and isEnterpriseInstall is not true.');
  }
  return tenantOfQuery({
    teamId: team?.id,
    enterpriseId: enterprise?.id,
    userId: user.id,
    isEnterpriseInstall,
  });
}
