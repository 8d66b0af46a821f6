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
import type { installRecordJson } from './operator/install-record-json.ts';
import type { memberJson } from './operator/member-json.ts';
import type { RequestWithCookies, SignedInMember } from './signin/find-member.ts';

/**
 * Names an installation: by its workspace, by the Grid organization of an org-wide install, by an account of yours that
 * it is connected to (of several, the newest usable one), or by Foyer's own id.
 */
export type Target =
  | { teamId: string }
  | { enterpriseId: string }
  | { org: string }
  | { installationId: string };

/** What an app can do with Foyer; `createFoyer` makes it. `MyTables` are the app's own tables, for Kysely's types. */
export interface Foyer<MyTables = NoTables> {
  /**
   * Answers Foyer's paths in Express, Connect, Nest or `@fastify/middie`, and calls `next` for all others. Mount it
   * before any body parser: Slack's signature is checked over the raw body.
   * @example app.use(foyer.middleware)
   */
  middleware(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void;
  /** Answers a request of `node:http`. If its path is not Foyer's, touches nothing and resolves to false. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
  /**
   * Answers a web-standard request, for Hono, Next route handlers and serverless. A path that is not Foyer's gets 404.
   * @example app.all('/slack/*', (context) => foyer.fetch(context.req.raw))
   */
  fetch(request: Request): Promise<Response>;

  /** For a Bolt app of your own: `new App({ receiver: foyer.receiver, authorize: foyer.authorize })`, then `attach`. */
  readonly receiver: Receiver;
  readonly authorize: Authorize<boolean>;
  /** Slack's InstallationStore on Foyer's encrypted tables, for a stock Bolt app that keeps its own OAuth flow. */
  readonly installationStore: SlackInstallationStore;
  /** Adds Foyer's listeners (App Home and its buttons) and the definition's to a Bolt app of your own. */
  attach(app: App): void;

  /**
   * A Slack client with the bot's token, or with the user token of `userId`. Make a new one for each use: tokens
   * rotate.
   * @throws InstallationNotFoundError, TokenRefreshError, DatabaseUnavailableError
   */
  slack(target: Target, options?: { userId?: string }): Promise<WebClient>;
  /** The install record, as `list --json` prints it; undefined if the app was never installed there. */
  find(target: Target): Promise<FoundInstallation | undefined>;
  /** Install records, newest first. `cursor` comes from the previous page; the last page returns null. */
  list(options?: {
    cursor?: string | null;
    limit?: number;
    status?: InstallationStatus;
  }): Promise<{ installations: FoundInstallation[]; cursor: string | null }>;
  /**
   * Does your work for each installation, newest first, page by page and `concurrency` (8) at a time. A failure stops no
   * other team: it is logged and counted. If Slack rate-limits a team, the work for that team alone starts over after
   * the wait, twice at most; so it must be safe to run again. An installation that comes while this runs may be left
   * out.
   * @throws TypeError, DatabaseUnavailableError, and the reason of `signal` if that is aborted
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
   * Uninstalls the app from your side: revokes its tokens at Slack, as far as Slack answers, erases them here and
   * starts the uninstall pipeline. `reason` goes into the history. Resolves to false if the app was not installed.
   */
  uninstall(target: Target, reason: string): Promise<boolean>;
  /**
   * Retries a run: queues its unsuccessful steps again, or wakes it if it waits. Resolves to true if it did either.
   */
  retry(runId: string): Promise<boolean>;
  /** Publishes App Home for one person, as they would see it on opening it. */
  publishHome(target: Target, userId: string): Promise<void>;
  /**
   * Makes a link that connects a workspace to an account of yours. If you pass the response to the logged-in person, a
   * cookie binds the link to that browser, which then goes straight to Slack. Any other browser first shows a page that
   * names the account. Keep `jti` in the session: the result must carry the same one.
   * @throws ConnectError if connecting is off, or `returnTo` leads to an origin that is not listed
   * @example
   * const { url, jti } = await foyer.connect({ subject: user.id, org: org.id, returnTo }, res);
   */
  connect(
    options: ConnectOptions,
    res?: CookieTarget,
  ): Promise<{ url: string; jti: string; expiresAt: Date }>;
  /**
   * Verifies what came back as `?foyer_result=`. Compare its `jti` with the one in the session: a genuine result of
   * someone else's install must change nothing (docs/connect.md).
   * @throws ConnectError
   */
  readResult(token: string): ConnectResult;
  /** The workspace that a claim is about: your page names it before its button is pressed. @throws ConnectError */
  readClaim(token: string): Promise<ClaimedWorkspace>;
  /**
   * Connects a workspace that installed from Slack's side to an account of yours. `token` arrives at CONNECT_CLAIM_URL
   * as `?foyer_claim=`; it works once, for an hour. Call it when a logged-in person presses a button, never on a GET.
   * @throws ConnectError
   */
  claim(token: string, account: ClaimingAccount): Promise<Connection>;
  /** The people of an installation's workspace: who installed, opened Home, pressed a button or signed in. */
  readonly members: MemberList;
  /** Which of your accounts the workspaces belong to. */
  readonly connections: ConnectionList;
  /**
   * Who signed in with Slack in the browser of this request; undefined if no one did, and if SIGN_IN is off. A request
   * of `node:http`, Express or Fastify, or a web-standard one.
   * @throws DatabaseUnavailableError
   * @example
   * const member = await foyer.member(req);
   * if (!member) return res.redirect('/slack/signin?return_to=/reports');
   */
  member(req: RequestWithCookies): Promise<SignedInMember | undefined>;
  /** Foyer's tables for reading, and your own tables; each `write` is one transaction. */
  readonly database: OwnDatabase<MyTables>;

  /** Works runs and chores in this process, until `stop`. */
  start(): Promise<void>;
  /** Works due runs and jobs once, within about `deadlineMs`: from cron or `waitUntil`, where no process stays. */
  drain(options: { deadlineMs: number }): Promise<Drained>;
  /** Stops within ten seconds: takes no new work, lets running work finish or releases it, and closes the database. */
  stop(): Promise<void>;
}

/** A person of an installation's workspace, as `members --json` prints them. */
export type TeamMember = ReturnType<typeof memberJson>;

/** Who is known of the people of a workspace. */
export interface MemberList {
  /**
   * The members of an installation, the one who was met last first. `search` is part of a name or an email address, or
   * a user id. `cursor` comes from the previous page; the last page returns null.
   * @example
   * const { members } = await foyer.members.list({ teamId }, { search: 'grace' });
   */
  list(
    target: Target,
    options?: { search?: string; cursor?: string | null; limit?: number },
  ): Promise<{ members: TeamMember[]; cursor: string | null }>;
  /** One member of an installation's own workspace; undefined if the app has not met them there. */
  find(target: Target, userId: string): Promise<TeamMember | undefined>;
}

/** An install record as `list --json` prints it, with Foyer's own id. */
export type FoundInstallation = { installationId: string } & ReturnType<typeof installRecordJson>;

/** The result of one bounded pass; `done` if no run is due anymore. */
export interface Drained {
  done: boolean;
}
