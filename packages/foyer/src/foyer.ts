import type { IncomingMessage, ServerResponse } from 'node:http';
import type { App, Authorize, Receiver } from '@slack/bolt';
import type { InstallationStore as SlackInstallationStore } from '@slack/oauth';
import type { WebClient } from '@slack/web-api';
import type {
  ClaimedWorkspace,
  ClaimingAccount,
  Connection,
  ConnectionList,
  ConnectOptions,
} from './connections/create-connections.ts';
import type { ConnectResult } from './connections/link.ts';
import type { CookieTarget } from './connections/link-cookies.ts';
import type { NoTables, OwnDatabase } from './database/own-database.ts';
import type { InstallationStatus } from './database/records.ts';
import type { installRecordJson, memberJson } from './operator/install-record-json.ts';
import type { RequestWithCookies, SignedInMember } from './signin/find-member.ts';

/**
 * Identifies an installation: by its workspace, by the Grid organization of an org-wide install, by Foyer's own id, or
 * by one of your accounts. If several installations are connected to the account, Foyer uses the newest usable one.
 */
export type Target =
  | { teamId: string }
  | { enterpriseId: string }
  | { org: string }
  | { installationId: string };

/** What an app can do with Foyer; `createFoyer` creates it. `MyTables` are the app's own tables, for Kysely's types. */
export interface Foyer<MyTables = NoTables> {
  /**
   * Answers requests for Foyer's paths in Express, Connect, Nest or `@fastify/middie`, and calls `next` for all others.
   * Mount it before any body parser: Slack's signature covers the raw body.
   * @example app.use(foyer.middleware)
   */
  middleware(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void;
  /** Answers a request of `node:http`. If its path is not one of Foyer's, does nothing and resolves to false. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
  /**
   * Answers a web-standard request, for Hono, Next route handlers and serverless. Answers 404 if its path is not one of
   * Foyer's.
   * @example app.all('/slack/*', (context) => foyer.fetch(context.req.raw))
   */
  fetch(request: Request): Promise<Response>;

  /** For your own Bolt app: `new App({ receiver: foyer.receiver, authorize: foyer.authorize })`, then `attach`. */
  readonly receiver: Receiver;
  readonly authorize: Authorize<boolean>;
  /**
   * Slack's InstallationStore, for a stock Bolt app with its own OAuth flow. Stores installations in Foyer's tables,
   * and encrypts their tokens.
   */
  readonly installationStore: SlackInstallationStore;
  /** Adds Foyer's listeners (App Home and its buttons) and the definition's listeners to your own Bolt app. */
  attach(app: App): void;

  /**
   * Returns a Slack client with the bot's token, or with the user token of `userId`. Call this for each use, because
   * tokens rotate.
   * @throws InstallationNotFoundError, TokenRefreshError, DatabaseUnavailableError
   */
  slack(target: Target, options?: { userId?: string }): Promise<WebClient>;
  /** Returns the install record, as `list --json` prints it; undefined if there is none. */
  find(target: Target): Promise<FoundInstallation | undefined>;
  /** Returns install records, newest first. `cursor` comes from the previous page, and is null on the last page. */
  list(options?: {
    cursor?: string | null;
    limit?: number;
    status?: InstallationStatus;
  }): Promise<{ installations: FoundInstallation[]; cursor: string | null }>;
  /**
   * Runs your work for each installation, newest first: page by page, and for `concurrency` (8) installations at the
   * same time. Each failure is counted, the first 20 are logged, and none affects other teams. If Slack rate-limits a
   * team, only the work for that team starts over after the wait, at most twice, so your work must be safe to run
   * again. An installation that is added while this runs may be skipped.
   * @throws TypeError, DatabaseUnavailableError, and the reason of `signal` or an AbortError if `signal` is aborted
   * @example
   * const { failed } = await foyer.eachInstallation({ status: 'active', signal }, async ({ installationId }) => {
   *   const slack = await foyer.slack({ installationId });
   *   await slack.team.info();
   * });
   */
  eachInstallation(
    options: { status?: InstallationStatus; concurrency?: number; signal?: AbortSignal },
    work: (installation: FoundInstallation) => Promise<unknown>,
  ): Promise<{ done: number; failed: number }>;
  /**
   * Uninstalls the app from your side: revokes its tokens at Slack if Slack answers, erases them here, and starts the
   * uninstall pipeline. `reason` appears in the history. Resolves to false if the app was not installed, or was
   * installed again in the meantime.
   */
  uninstall(target: Target, reason: string): Promise<boolean>;
  /**
   * Retries a run: queues its unsuccessful steps again or, if the run is waiting, wakes it. Resolves to true if it did
   * either.
   */
  retry(runId: string): Promise<boolean>;
  /** Publishes App Home for one person, as if they had just opened it; does nothing if there is no installation. */
  publishHome(target: Target, userId: string): Promise<void>;
  /**
   * Creates a link that connects a workspace to one of your accounts. If you pass `res` (your response to the logged-in
   * person), a cookie binds the link to that person's browser, and in that browser the link leads straight to Slack. In
   * any other browser, it first shows a page that names the account. Keep `jti` in the session: the result must contain
   * the same `jti`.
   * @throws ConnectError if connecting is off or an option is invalid, such as a `returnTo` whose origin is not listed
   * @example
   * const { url, jti } = await foyer.connect({ subject: user.id, org: org.id, returnTo }, res);
   */
  connect(
    options: ConnectOptions,
    res?: CookieTarget,
  ): Promise<{ url: string; jti: string; expiresAt: Date }>;
  /**
   * Verifies the result in `?foyer_result=`. Then compare its `jti` with the one in the session, and change nothing if
   * they differ: the result may be genuine, but from another person's install (docs/connect.md).
   * @throws ConnectError
   */
  readResult(token: string): ConnectResult;
  /**
   * Returns the workspace that a claim is for, so that your page can name it next to its button. @throws ConnectError
   */
  readClaim(token: string): Promise<ClaimedWorkspace>;
  /**
   * Connects a workspace to one of your accounts, after the app was installed there from Slack's side. `token` arrives
   * at CONNECT_CLAIM_URL as `?foyer_claim=`, and works once, within an hour. Call this when a logged-in person presses
   * a button, never on a GET.
   * @throws ConnectError
   */
  claim(token: string, account: ClaimingAccount): Promise<Connection>;
  /** The people in an installation's workspace who have used the app: they installed it, opened Home or the like. */
  readonly members: MemberList;
  /** Which of your accounts each workspace belongs to. */
  readonly connections: ConnectionList;
  /**
   * Returns who signed in with Slack in the browser of this request; undefined if no one did, or if SIGN_IN is off.
   * Accepts a request of `node:http`, Express or Fastify, or a web-standard one.
   * @throws DatabaseUnavailableError
   * @example
   * const member = await foyer.member(req);
   * if (!member) return res.redirect('/slack/signin?return_to=/reports');
   */
  member(req: RequestWithCookies): Promise<SignedInMember | undefined>;
  /** Reads Foyer's tables, and reads and writes your own tables. Each `write` is one transaction. */
  readonly database: OwnDatabase<MyTables>;

  /** Executes runs, jobs and chores (periodic cleanup) in this process, until `stop` is called. */
  start(): Promise<void>;
  /**
   * Executes due runs and jobs once, within about `deadlineMs`. If no process runs all the time, call this from cron or
   * in `waitUntil`.
   */
  drain(options: { deadlineMs: number }): Promise<Drained>;
  /** Stops within ten seconds: starts no new work, waits for running work or releases it, and closes the database. */
  stop(): Promise<void>;
}

/** A person of an installation's workspace, as `members --json` prints them. */
export type TeamMember = ReturnType<typeof memberJson>;

/** The known people of a workspace: those who installed the app, opened Home, pressed a button or signed in. */
export interface MemberList {
  /**
   * Returns the members of an installation, newest first (by when the app first met them). `search` is part of a name
   * or email address, or a user id. `cursor` comes from the previous page, and is null on the last page.
   * @example
   * const { members } = await foyer.members.list({ teamId }, { search: 'grace' });
   */
  list(
    target: Target,
    options?: { search?: string; cursor?: string | null; limit?: number },
  ): Promise<{ members: TeamMember[]; cursor: string | null }>;
  /** Returns one member of an installation's own workspace; undefined if the app has not met them there. */
  find(target: Target, userId: string): Promise<TeamMember | undefined>;
}

/** An install record as `list --json` prints it, plus `installationId`, the id that Foyer gave the installation. */
export type FoundInstallation = { installationId: string } & ReturnType<typeof installRecordJson>;

/** The result of `drain`. `done` is true if no more runs are due, and none is running in this process. */
export interface Drained {
  done: boolean;
}
