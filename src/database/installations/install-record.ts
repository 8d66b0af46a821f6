import { sql } from 'kysely';
import type { Queries } from '../database.ts';
import type {
  HistoryKind,
  InstallationRow,
  InstallationStatus,
  RunRow,
  RunStatus,
  StepRow,
  StepStatus,
} from '../records.ts';

/**
 * The install record: what App Home, the progress page, the operator's pages and the command line all show. It is
 * read here once, so that no two of them can tell different stories. It holds no token.
 */

/** One step of a run, as it stands. */
export interface StepRecord {
  name: string;
  status: StepStatus;
  attempts: number;
  /** Slack's error or ours by name, such as `missing_scope`. */
  errorCode: string | null;
  errorMessage: string | null;
  finishedAt: number | null;
}

/** One run with its steps in order. */
export interface RunRecord {
  id: string;
  userId: string;
  status: RunStatus;
  createdAt: number;
  finishedAt: number | null;
  /** When the next try is due; null when it is finished or waits for an event. */
  dueAt: number | null;
  /** The event that it waits for, such as `team_access_granted`. */
  waitingFor: string | null;
  steps: StepRecord[];
}

/** An installation and its newest run. Times are milliseconds since 1970. */
export interface InstallRecord {
  id: string;
  clientId: string;
  teamId: string | null;
  teamName: string | null;
  enterpriseId: string | null;
  enterpriseName: string | null;
  isEnterpriseInstall: boolean;
  appId: string | null;
  status: InstallationStatus;
  brokenReason: string | null;
  installerUserId: string;
  installedAt: number;
  uninstalledAt: number | null;
  botUserId: string | null;
  /** What was granted; null without a bot. */
  botScopes: string[] | null;
  run: RunRecord | null;
}

/** A person of the installation's team, as stored. */
export interface UserRecord {
  userId: string;
  name: string | null;
  realName: string | null;
  email: string | null;
  timezone: string | null;
  locale: string | null;
  avatarUrl: string | null;
  isAdmin: boolean;
  isOwner: boolean;
  hasUserToken: boolean;
  firstSeenAt: number;
}

/** One line of history. */
export interface HistoryRecord {
  at: number;
  kind: HistoryKind;
  userId: string | null;
  detail: string | null;
}

/** The registered team's id: an org-wide install registers its enterprise. */
export function registeredTeamId(record: Pick<InstallRecord, 'teamId' | 'enterpriseId'>): string {
  const id = record.teamId ?? record.enterpriseId;
  if (id === null) throw new Error('an installation has neither a team nor an enterprise');
  return id;
}

function toRecord(row: InstallationRow, run: RunRecord | null): InstallRecord {
  return {
    id: row.id,
    clientId: row.client_id,
    teamId: row.team_id,
    teamName: row.team_name,
    enterpriseId: row.enterprise_id,
    enterpriseName: row.enterprise_name,
    isEnterpriseInstall: row.is_enterprise_install === 1,
    appId: row.app_id,
    status: row.status,
    brokenReason: row.broken_reason,
    installerUserId: row.installer_user_id,
    installedAt: row.installed_at,
    uninstalledAt: row.uninstalled_at,
    botUserId: row.bot_user_id,
    botScopes: row.bot_scopes === null ? null : (JSON.parse(row.bot_scopes) as string[]),
    run,
  };
}

/** A step's row as a record. */
export function toStepRecord(row: StepRow): StepRecord {
  return {
    name: row.name,
    status: row.status,
    attempts: row.attempts,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    finishedAt: row.finished_at,
  };
}

function toRunRecord(run: RunRow, steps: readonly StepRow[]): RunRecord {
  return {
    id: run.id,
    userId: run.user_id,
    status: run.status,
    createdAt: run.created_at,
    finishedAt: run.finished_at,
    dueAt: run.due_at,
    waitingFor: run.waiting_for,
    steps: steps.map(toStepRecord),
  };
}

/** Reads one run with its steps, or undefined. */
export async function readRun(queries: Queries, runId: string): Promise<RunRecord | undefined> {
  const run = await queries.selectFrom('runs').selectAll().where('id', '=', runId).executeTakeFirst();
  if (!run) return undefined;
  const steps = await queries
    .selectFrom('steps')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('position')
    .execute();
  return toRunRecord(run, steps);
}

async function newestRun(queries: Queries, installationId: string): Promise<RunRecord | null> {
  const newest = await queries
    .selectFrom('runs')
    .select('id')
    .where('installation_id', '=', installationId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest ? ((await readRun(queries, newest.id)) ?? null) : null;
}

/** Reads an installation with its newest run, or undefined. */
export async function readInstallRecord(
  queries: Queries,
  installationId: string,
): Promise<InstallRecord | undefined> {
  const row = await queries
    .selectFrom('installations')
    .selectAll()
    .where('id', '=', installationId)
    .executeTakeFirst();
  return row && toRecord(row, await newestRun(queries, row.id));
}

/** Reads every installation of the app, newest first, each with its newest run. Three queries, however many there are. */
export async function listInstallRecords(queries: Queries, clientId: string): Promise<InstallRecord[]> {
  const rows = await queries
    .selectFrom('installations')
    .selectAll()
    .where('client_id', '=', clientId)
    .orderBy('installed_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  const runs = await newestRuns(queries, clientId);
  return rows.map((row) => toRecord(row, runs.get(row.id) ?? null));
}

/** The newest run of each installation of the app, by installation. */
async function newestRuns(queries: Queries, clientId: string): Promise<Map<string, RunRecord>> {
  const isNewest = sql<boolean>`not exists (
    select 1 from runs as newer where newer.installation_id = runs.installation_id
    and (newer.created_at, newer.id) > (runs.created_at, runs.id))`;
  const ofThisApp = queries
    .selectFrom('runs')
    .innerJoin('installations', 'installations.id', 'runs.installation_id')
    .where('installations.client_id', '=', clientId)
    .where(isNewest);
  const runs = await ofThisApp.selectAll('runs').execute();
  const steps = await ofThisApp
    .innerJoin('steps', 'steps.run_id', 'runs.id')
    .selectAll('steps')
    .orderBy('steps.position')
    .execute();
  const byRun = Map.groupBy(steps, (step) => step.run_id);
  return new Map(runs.map((run) => [run.installation_id, toRunRecord(run, byRun.get(run.id) ?? [])]));
}

/** Finds the installations that a team's or an enterprise's id names: its own, and never another's. */
export async function findInstallRecords(
  queries: Queries,
  clientId: string,
  id: string,
): Promise<InstallRecord[]> {
  const rows = await queries
    .selectFrom('installations')
    .selectAll()
    .where('client_id', '=', clientId)
    .where('tenant', 'in', [`team:${id}`, `enterprise:${id}`])
    .execute();
  return Promise.all(rows.map(async (row) => toRecord(row, await newestRun(queries, row.id))));
}

/** Reads the people of an installation's team, in the order in which they came. */
export async function readUsers(queries: Queries, record: InstallRecord): Promise<UserRecord[]> {
  const rows = await queries
    .selectFrom('memberships')
    .innerJoin('users', (join) =>
      join
        .onRef('users.user_id', '=', 'memberships.user_id')
        .onRef('users.client_id', '=', 'memberships.client_id'),
    )
    .leftJoin('user_tokens', (join) =>
      join
        .onRef('user_tokens.user_id', '=', 'users.user_id')
        .on('user_tokens.installation_id', '=', record.id),
    )
    .selectAll('users')
    .select(['memberships.is_admin', 'memberships.is_owner', 'memberships.first_seen_at as member_since'])
    .select('user_tokens.user_id as token_user_id')
    .where('memberships.client_id', '=', record.clientId)
    .where('memberships.team_id', '=', registeredTeamId(record))
    .orderBy('memberships.first_seen_at')
    .orderBy('users.user_id')
    .execute();
  return rows.map((row) => ({
    userId: row.user_id,
    name: row.name,
    realName: row.real_name,
    email: row.email,
    timezone: row.timezone,
    locale: row.locale,
    avatarUrl: row.avatar_url,
    isAdmin: row.is_admin === 1,
    isOwner: row.is_owner === 1,
    hasUserToken: row.token_user_id !== null,
    firstSeenAt: row.member_since,
  }));
}

/** Reads an installation's history, newest first. */
export async function readHistory(
  queries: Queries,
  installationId: string,
  limit: number,
): Promise<HistoryRecord[]> {
  const rows = await queries
    .selectFrom('history')
    .select(['at', 'kind', 'user_id', 'detail'])
    .where('installation_id', '=', installationId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ at: row.at, kind: row.kind, userId: row.user_id, detail: row.detail }));
}
