import type { ColumnType } from 'kysely';

/**
 * The rows of every table, and the values of their columns. A time is a whole number of milliseconds since 1970 (UTC);
 * a flag is 0 or 1; a JSON column holds text. SQLite and Postgres store all three in the same way, so one set of
 * queries serves both. A column named `sealed…` holds text that a sealer (`installations/sealer.ts`) encrypted. No
 * other column may hold a secret.
 *
 * A **life** of an installation is the time from one install to the next uninstall; a reinstall begins a new life.
 */

/**
 * active: usable. broken: Slack rejects its token. uninstalled: the app was removed; Foyer has erased its tokens and
 * keeps its row.
 */
export type InstallationStatus = 'active' | 'broken' | 'uninstalled';

/**
 * The outcome of one OAuth attempt. started: Foyer is still exchanging the code. refused: the app's gate refused the
 * install, or the workspace belongs to another account.
 */
export type InstallRequestOutcome = 'started' | 'cancelled' | 'failed' | 'refused' | 'installed';

/**
 * queued: a worker may claim the run. waiting: the run waits for a time, an event, a person's answer or another run.
 * succeeded, failed and cancelled are final: only a retry queues the run again.
 */
export type RunStatus = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled';

/** unconfirmed: the step may have taken effect, and Foyer cannot find out (invariant 3: one welcome). */
export type StepStatus =
  | 'pending'
  | 'running'
  | 'retrying'
  | 'succeeded'
  | 'failed'
  | 'skipped'
  | 'unconfirmed';

/** Which list of steps a run executes: the one for installs, for uninstalls, or for one kind of `Moment`. */
export type Pipeline = 'install' | 'uninstall' | MomentKind;

/** Something that happens to an installation after its install; each kind has its own pipeline. */
export type Moment =
  /** The app was installed over an existing installation, and Slack granted the bot more scopes. */
  | { readonly kind: 'upgraded'; readonly addedScopes: readonly string[] }
  /** A member opened the app for the first time since the app was installed, or installed again after an uninstall. */
  | {
      readonly kind: 'opened';
      readonly userId: string;
      /** The tab that they opened. */
      readonly tab: 'home' | 'messages';
      /** Their conversation with the app (`D…`); null if Slack did not send it. */
      readonly channelId: string | null;
    }
  /** An org-wide install got access to a workspace. */
  | { readonly kind: 'workspaceGranted'; readonly teamId: string };

export type MomentKind = Moment['kind'];

/** The outcome of one attempt of a step. started: the attempt is running, or its process died during it. */
export type AttemptOutcome =
  | 'started'
  | 'succeeded'
  | 'skipped'
  | 'waiting'
  | 'retry'
  | 'failed'
  | 'unconfirmed';

/** What an entry in an installation's history reports. */
export type HistoryKind =
  | 'installed'
  | 'reinstalled'
  | 'user_authorized'
  | 'uninstalled'
  | 'tokens_revoked'
  | 'token_died'
  /** Slack accepts the token of a held installation (`isHeld`) again. */
  | 'token_works'
  | 'access_granted'
  | 'access_revoked'
  | 'run_succeeded'
  | 'run_failed'
  | 'run_cancelled'
  | 'run_retried'
  /** How the run of the uninstall pipeline ended. */
  | 'uninstall_run_succeeded'
  | 'uninstall_run_failed'
  | 'welcome_requested'
  /** The installation was connected to one of the host's accounts; the detail is the account's `org`. */
  | 'connected'
  | 'disconnected'
  /** An action on the operator's pages; the detail says which. */
  | 'operator_action';

/** One Slack app (client id) in one tenant. A tenant is a team or, for an org-wide install, a whole enterprise. */
export interface InstallationRow {
  id: string;
  client_id: string;
  /** `team:T…` or `enterprise:E…`; unique together with the client id. */
  tenant: string;
  team_id: string | null;
  team_name: string | null;
  enterprise_id: string | null;
  enterprise_name: string | null;
  is_enterprise_install: number;
  app_id: string | null;
  status: InstallationStatus;
  broken_reason: string | null;
  /** 1 for the first install, one more for each install that follows an uninstall. */
  life: number;
  /**
   * Grows by one whenever the tokens change. A token refresh reads the version together with the old tokens. It stores
   * the new tokens only if the version is still the same.
   */
  version: number;
  installer_user_id: string;
  installed_at: number;
  /**
   * When Slack issued the installation's tokens, by Slack's clock, so that Foyer can compare this time with the times
   * of events. Null if Slack did not say.
   */
  slack_installed_at: number | null;
  uninstalled_at: number | null;
  bot_user_id: string | null;
  /** JSON array of the scopes granted to the bot; null without a bot. */
  bot_scopes: string | null;
  /** When the bot's token expires; null if it does not expire, or if there is no such token. */
  bot_expires_at: number | null;
  /** Slack's Installation without its `user`; null after the bot's token was revoked or the app was uninstalled. */
  sealed_bot: string | null;
  refresh_owner: string | null;
  refresh_until: number | null;
}

/** A person's own token for the app; the installation's row holds the bot's. */
export interface UserTokenRow {
  installation_id: string;
  user_id: string;
  version: number;
  expires_at: number | null;
  /** Slack's Installation['user']. */
  sealed_user: string;
  updated_at: number;
  refresh_owner: string | null;
  refresh_until: number | null;
}

/**
 * A registered person of a team (for an org-wide install: of an enterprise), as Slack last reported them. The same user
 * id in another team is another row. A column is null if its scope was not granted, or if Slack did not send the value.
 */
export interface UserRow {
  client_id: string;
  team_id: string;
  user_id: string;
  name: string | null;
  real_name: string | null;
  email: string | null;
  timezone: string | null;
  locale: string | null;
  avatar_url: string | null;
  first_seen_at: number;
  updated_at: number;
}

/** A person in a team, and their role there. */
export interface MembershipRow {
  client_id: string;
  team_id: string;
  user_id: string;
  is_admin: number;
  is_owner: number;
  is_guest: number;
  first_seen_at: number;
  /** When the person last installed, signed in, opened Home or clicked a button, accurate to an hour; null if never. */
  last_seen_at: number | null;
  /** When Slack reported that the person's account was deactivated; null if the account is active. */
  deactivated_at: number | null;
  updated_at: number;
}

/**
 * A person from another workspace, seen in a Slack Connect channel. The profile contains only what this installation
 * may see. It contains nothing that an installation in the person's own team has stored, because that team is another
 * tenant.
 */
export interface ExternalMemberRow {
  client_id: string;
  /** The team whose installation stored this row. */
  team_id: string;
  /** The person's own team. */
  home_team_id: string;
  user_id: string;
  name: string | null;
  real_name: string | null;
  email: string | null;
  timezone: string | null;
  locale: string | null;
  avatar_url: string | null;
  first_seen_at: number;
  last_seen_at: number;
  /** When Foyer last asked Slack about the person; zero if Foyer never has. */
  updated_at: number;
}

/**
 * One OAuth attempt. Foyer writes the row when Slack sends the state back, not when Foyer issues the state, since a
 * request for a state must not cost a write. The primary key is the state's id, so a state can be used only once.
 */
export interface InstallRequestRow {
  id: string;
  client_id: string;
  /** SHA-256 of the progress page's token. */
  progress_hash: string;
  outcome: InstallRequestOutcome;
  /**
   * The name of the cause, such as `slack_unreachable`; null if the attempt is in progress or has installed the app.
   */
  error_code: string | null;
  started_at: number;
  /**
   * When the OAuth state of this attempt was used. Null if the attempt ended on Slack's consent page: the user may
   * still go back and click Allow, so the state can still be used.
   */
  used_at: number | null;
  finished_at: number | null;
  requested_team_id: string | null;
  team_id: string | null;
  team_name: string | null;
  enterprise_id: string | null;
  user_id: string | null;
  installation_id: string | null;
  run_id: string | null;
  /**
   * Tokens that Slack issued and that no installation has stored. A cleanup revokes them after a minute (invariant 1).
   * Null if there are none.
   */
  sealed_tokens: string | null;
}

/** One execution of a pipeline, for one completed install, uninstall or moment. */
export interface RunRow {
  id: string;
  pipeline: Pipeline;
  installation_id: string;
  life: number;
  user_id: string;
  status: RunStatus;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  /**
   * When a worker may claim the run; null if no time is set. A run that waits for an answer is due at the question's
   * reminder or expiry, whichever is first. A finished run, or one that waits for an event or another run, has no time.
   */
  due_at: number | null;
  /**
   * What the run waits for: the name of an event, another run's id, `uninstall_run` or `answer`. Null if it waits for
   * none of these.
   */
  waiting_for: string | null;
  lease_owner: string | null;
  lease_until: number | null;
  /**
   * For a run of `upgraded`, `opened` or `workspaceGranted`: what happened, as JSON. Does not repeat the kind
   * (`pipeline`) or the person (`user_id`). Null for an install or uninstall. Also null for an `opened` run that has
   * ended, if its person was erased.
   */
  moment: string | null;
}

/** One named part of a run. */
export interface StepRow {
  run_id: string;
  name: string;
  position: number;
  status: StepStatus;
  /** How many attempts were made, including those that hit a rate limit. */
  attempts: number;
  /** How many of the `attempts` count against the step's limit. */
  failures: number;
  /** JSON of what the step returned. */
  output: string | null;
  error_code: string | null;
  error_message: string | null;
  started_at: number | null;
  finished_at: number | null;
}

/** One attempt of a step. */
export interface StepAttemptRow {
  run_id: string;
  step_name: string;
  attempt: number;
  outcome: AttemptOutcome;
  error_code: string | null;
  error_message: string | null;
  started_at: number;
  finished_at: number | null;
}

/**
 * The columns that the tables `welcomes` and `posts` share. A row is a message that Foyer sends only once per `life` of
 * an installation.
 */
export interface OnceMessageRow {
  installation_id: string;
  life: number;
  run_id: string;
  /** sending: Foyer does not know yet whether the message was sent. */
  status: 'sending' | 'sent' | 'unconfirmed';
  channel_id: string | null;
  message_ts: string | null;
  /** When the first attempt to send the message began. A search for the message goes back to about this time. */
  attempted_at: number;
  /**
   * When the message was sent. As long as Foyer does not know this time, the column contains a deadline instead: after
   * the deadline, the newest call to send the message can no longer take effect.
   */
  sent_at: number | null;
  /**
   * How far back Foyer has searched for a message that may have arrived: the time of the oldest message that it has
   * read in this search. Null if it has read none.
   */
  search_before: string | null;
  /** How many calls to Slack the search for the message has made. */
  search_calls: number;
}

/** One entry in an installation's history. */
export interface HistoryRow {
  id: string;
  installation_id: string;
  at: number;
  kind: HistoryKind;
  user_id: string | null;
  detail: string | null;
}

/**
 * The kinds of notices to the operators. Each is sent once for each cause. A `channel_failed` notice goes to one of the
 * operators' channels, and reports that another channel does not accept notices.
 */
export type NoticeKind =
  | 'installed'
  | 'run_failed'
  | 'uninstalled'
  | 'token_died'
  | 'rate_limited'
  | 'channel_failed';

/** How the operators are notified. */
export type NoticeChannel = 'webhook' | 'mail';

/**
 * pending: Foyer must send the notice, for the first time or again. sending: the outcome is not known yet. unconfirmed:
 * the notice may have arrived, and Foyer cannot find out. failed: Foyer has given up.
 */
export type NoticeStatus = 'pending' | 'sending' | 'sent' | 'unconfirmed' | 'failed';

/** A notice that reports one event or problem (the cause) to the operators through one channel. */
export interface OperatorNoticeRow {
  /**
   * For an install, the run's id. For a failed run, `<run id>/failed`. For an uninstall or a dead token, the id of its
   * entry in the history. Each other kind has its own form of key.
   */
  cause_id: string;
  channel: NoticeChannel;
  installation_id: string;
  kind: NoticeKind;
  user_id: string | null;
  /**
   * The reason, for example the `detail` of the history's entry. Null for an install: Foyer composes an install notice
   * only when it sends the notice.
   */
  detail: string | null;
  created_at: number;
  status: NoticeStatus;
  attempts: number;
  error_code: string | null;
  /** When to send the notice; null if the notice is finished, or if a step of a run sends the notice. */
  due_at: number | null;
  changed_at: number;
}

/** The host product's account that an installation belongs to. The row stays after an uninstall. */
export interface ConnectionRow {
  id: string;
  installation_id: string;
  /** The host's id of the account; unique together with the installation. */
  org: string;
  /** The host's id of the person who connected the account; null if unknown. */
  subject: string | null;
  /** The account's display name; null if the host did not give one. */
  label: string | null;
  /** JSON that the link carried for the app's steps; null if there was none. */
  data: string | null;
  connected_at: number;
}

/** A link that has connected a workspace, or a claim that was used. Neither can be used again. */
export interface UsedLinkRow {
  client_id: string;
  /** The id of the link or claim; unique together with the client id. */
  jti: string;
  /**
   * The installation that the link or claim connected. This column is not a foreign key, because the row must remain
   * after the installation is erased. Otherwise, the link would work again.
   */
  installation_id: string | null;
  run_id: string | null;
  /**
   * The account that the link connected. Several accounts can share a workspace, so this column tells which account the
   * run `run_id` belongs to.
   */
  org: string | null;
  /** The hash of the token of the install request's progress page. */
  progress_hash: string | null;
  used_at: number;
}

/** A recurring task; most of them run in only one process at a time. */
export interface ChoreRow {
  name: string;
  /** When a process last began the chore; for a job, the start of the newest interval that a process claimed. */
  begun_at: number;
  /** When the newest turn (one execution) began. Only jobs have values in this column and the columns below. */
  started_at: number | null;
  /**
   * If the newest turn has not ended by this time, Foyer assumes that its machine died; null once the turn has ended.
   */
  leased_until: number | null;
  /** The machine and the process that ran the chore in the newest turn. */
  machine: string | null;
  /** When the newest finished turn ended. The columns below describe how it ended. */
  ended_at: number | null;
  took_ms: number | null;
  outcome: 'succeeded' | 'failed' | null;
  /** The name of an error, never its message: a message may hold a secret. */
  error_code: string | null;
}

/** member: a session that began at `/slack/signin`; operator: a session of the operator pages. */
export type SessionKind = 'member' | 'operator';

/** A session. Foyer ends it by deleting the row. */
export interface SessionRow {
  /** Random. The cookie holds this id, sealed. */
  id: string;
  client_id: string;
  kind: SessionKind;
  /** The installation of the member's team; null for an operator. */
  installation_id: string | null;
  /** The number of the installation's life at the beginning of the session; null for an operator. */
  life: number | null;
  /**
   * For a member, the team that they are registered in (for an org-wide install, the enterprise). For an operator, the
   * workspace.
   */
  registered_team_id: string | null;
  /**
   * The workspace of the sign-in. If an operator signed in with the password, this column and every other column about
   * the person are null.
   */
  team_id: string | null;
  enterprise_id: string | null;
  user_id: string | null;
  /** When Slack issued the ID token, by Slack's clock, so that Foyer can compare this time with the times of events. */
  slack_signed_at: number | null;
  began_at: number;
  /** When it was last used, accurate to a few minutes. */
  seen_at: number;
  /**
   * When Foyer last asked Slack whether the person still has an account in the workspace; null if it never has. After a
   * failed call, Foyer stores an earlier time here, so that it asks again in an hour.
   */
  checked_at: number | null;
  /** The browser's user agent. Foyer stores the user agent and the network address only for operators. */
  browser: string | null;
  address: string | null;
}

type Fixed<T> = ColumnType<T, T, never>;
type WithDefault<T> = ColumnType<T, T | undefined, T>;

/** Every table, for Kysely. A table without its own row type is described here. */
export interface Tables {
  installations: Omit<InstallationRow, 'id' | 'client_id' | 'tenant'> & {
    id: Fixed<string>;
    client_id: Fixed<string>;
    tenant: Fixed<string>;
  };
  user_tokens: UserTokenRow;
  /** A registered team. For an org-wide install, `team_id` is the enterprise's id. */
  teams: {
    client_id: string;
    team_id: string;
    name: string | null;
    domain: string | null;
    icon_url: string | null;
    enterprise_id: string | null;
    first_seen_at: number;
    updated_at: number;
  };
  users: UserRow;
  memberships: Omit<MembershipRow, 'is_guest'> & { is_guest: WithDefault<number> };
  external_members: ExternalMemberRow;
  /**
   * A workspace of an enterprise, and whether the org-wide install may act in it. The row may be older than that
   * install.
   */
  team_access: {
    client_id: string;
    enterprise_id: string;
    team_id: string;
    granted: number;
    /** The `event_time` of the newest event about this access. Foyer ignores older events. */
    changed_at: number;
  };
  install_requests: InstallRequestRow;
  runs: RunRow;
  steps: StepRow;
  step_attempts: StepAttemptRow;
  /** The one welcome that a person gets per life of an installation (invariant 3). */
  welcomes: OnceMessageRow & { user_id: string };
  /** A question that a step asks a person; at most one answer is stored. */
  questions: {
    run_id: string;
    step_name: string;
    question_id: string;
    /** The question as JSON text. */
    question: string;
    asked_at: number;
    /** When to post the reminder; null if it was posted, or if the question expires within a day of being asked. */
    remind_at: number | null;
    /** If there is no answer by this time, the step is skipped. Null if there is no time limit. */
    expires_at: number | null;
    answer: string | null;
    answered_by: string | null;
    answered_at: number | null;
  };
  /** A message that a step posts once per life of an installation; `key` is the step's own name for the message. */
  posts: OnceMessageRow & { key: string };
  history: HistoryRow;
  /** A person for whom Foyer published App Home, and the last view that it sent them. */
  home_views: {
    installation_id: string;
    user_id: string;
    /** When they last opened App Home, accurate to a few minutes; zero if they never have. */
    opened_at: number;
    /** SHA-256 of the view that Slack last accepted; null while that is unknown. */
    published_hash: string | null;
    /**
     * SHA-256 of the view that was announced last: a process stores it here just before it sends the view. Null if no
     * view was announced.
     */
    sending_hash: string | null;
  };
  /**
   * A key id, and a known text that was sealed with this key. The text shows whether a configured key is the right one.
   */
  encryption_keys: {
    id: string;
    sealed_check: string;
    created_at: number;
    /** The time at which a process first started without this key; null while the key is in use. */
    retired_at: number | null;
  };
  operator_notices: OperatorNoticeRow;
  chores: Pick<ChoreRow, 'name' | 'begun_at'> & {
    [Column in Exclude<keyof ChoreRow, 'name' | 'begun_at'>]: WithDefault<ChoreRow[Column]>;
  };
  /**
   * A sign-in state that was used. The row keeps Foyer from accepting the state again. (Before version 0.1, the rows
   * were operator sessions that were ended early.)
   */
  ended_sessions: {
    id: string;
    /** When the state expires. */
    lapses_at: number;
  };
  sessions: SessionRow;
  connections: ConnectionRow;
  used_links: UsedLinkRow;
  /** A running process, and the id of the key that it encrypts with. */
  key_holders: {
    /** `host pid random`. */
    process: string;
    key_id: string;
    /** When this process last reported that it is running. */
    seen_at: number;
  };
  /** An app whose installs are paused on every machine. */
  maintenance: {
    client_id: string;
    began_at: number;
  };
  /**
   * A team or enterprise for which Slack sends verified events although this database has no installation for it, for
   * example because an old backup was restored.
   */
  unknown_teams: {
    client_id: string;
    /** `team:T…` or `enterprise:E…`. */
    tenant: string;
    first_seen_at: number;
    /** When Slack last sent an event for this tenant, accurate to a few minutes. */
    last_seen_at: number;
  };
  /** A delivery from Slack that a process has claimed; the row stays for an hour. */
  seen_deliveries: {
    client_id: string;
    /**
     * `event Ev…` for an event. `press` and the request's signature for a button press, command or dialog. `purged` and
     * a tenant for a row that is not a delivery (see `purgeKey`).
     */
    key: string;
    seen_at: number;
  };
  /**
   * A stored count of rows: there are too many rows for a page to count them each time it is shown.
   * `operator/kept-counts.ts` lists these counts.
   */
  kept_counts: {
    client_id: string;
    /** `installations`, or `day 2026-11-29`. */
    name: string;
    /** JSON: counts and times, and nothing about a person. */
    value: string;
    counted_at: number;
  };
}

/** The names of all tables as a value. If a table is missing, this does not compile. */
const everyTable: { readonly [Name in keyof Tables]: true } = {
  installations: true,
  user_tokens: true,
  teams: true,
  users: true,
  memberships: true,
  external_members: true,
  team_access: true,
  install_requests: true,
  runs: true,
  steps: true,
  step_attempts: true,
  welcomes: true,
  questions: true,
  posts: true,
  history: true,
  home_views: true,
  connections: true,
  used_links: true,
  encryption_keys: true,
  key_holders: true,
  operator_notices: true,
  chores: true,
  ended_sessions: true,
  maintenance: true,
  unknown_teams: true,
  sessions: true,
  seen_deliveries: true,
  kept_counts: true,
};

/** The names of Foyer's tables. Any other table belongs to the app or to another program. */
export const foyerTableNames: readonly string[] = Object.keys(everyTable);
