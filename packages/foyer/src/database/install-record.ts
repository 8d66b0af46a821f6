import type { Expression, ExpressionBuilder } from 'kysely';
import type { Database, Queries } from './database.ts';
import { inactiveCode } from './installations.ts';
import { type Given, prepareQuery } from './prepared-query.ts';
import type {
  InstallationRow,
  InstallationStatus,
  Moment,
  Pipeline,
  RunRow,
  RunStatus,
  StepRow,
  StepStatus,
  Tables,
} from './records.ts';

/**
 * The install record is what App Home, the progress page, the operator pages and the command line show. All of them
 * read it through this file, so that they always agree. The record contains no token.
 */

/** The current state of one step of a run. */
export interface StepRecord {
  name: string;
  status: StepStatus;
  attempts: number;
  /**
   * How many attempts failed. An attempt that asked a question, waited or hit a rate limit does not count as failed.
   */
  failures: number;
  /** Slack's error code, such as `missing_scope`, or one of Foyer's own. */
  errorCode: string | null;
  errorMessage: string | null;
  finishedAt: number | null;
}

/** One run with its steps in order. */
export interface RunRecord {
  id: string;
  pipeline: Pipeline;
  /** The moment that the run is for; undefined for an install or uninstall. */
  moment?: Moment;
  userId: string;
  status: RunStatus;
  createdAt: number;
  finishedAt: number | null;
  /**
   * When the run is due next. For a running run, when its lease expires. For a run that waits for an answer, when Foyer
   * reminds the person or the question expires. Null if the run has ended, or waits without a time limit.
   */
  dueAt: number | null;
  /**
   * What the run waits for: an event such as `team_access_granted`, an answer (`answer`), or another run. Null if it
   * waits for none of these.
   */
  waitingFor: string | null;
  steps: StepRecord[];
}

/** An installation and the newest run of its install pipeline. Times are milliseconds since 1970. */
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
  /** The granted scopes; null without a bot. */
  botScopes: string[] | null;
  /** 1 for the first install, one more for each install that follows an uninstall. */
  life: number;
  /**
   * The host's account that the installation belongs to; null if there is none. If several accounts share the
   * installation, this is the account that was connected last.
   */
  connection: { org: string; subject: string | null; connectedAt: number } | null;
  run: RunRecord | null;
}

/**
 * Whether the installation is held because Slack may have suspended the app. A held installation is neither usable nor
 * uninstalled.
 */
export function isHeld({ status, brokenReason }: Pick<InstallRecord, 'status' | 'brokenReason'>): boolean {
  return status === 'broken' && brokenReason === inactiveCode;
}

/** The id of the registered team. For an org-wide install, this is the enterprise's id. */
export function registeredTeamId(record: Pick<InstallRecord, 'teamId' | 'enterpriseId'>): string {
  const id = record.teamId ?? record.enterpriseId;
  if (id === null) throw new Error('an installation has neither a team nor an enterprise');
  return id;
}

/** Returns the ids that identify the installer in the tables about people. */
export function installerOf(record: Pick<InstallRecord, 'teamId' | 'enterpriseId' | 'installerUserId'>): {
  teamId: string;
  userId: string;
} {
  return { teamId: registeredTeamId(record), userId: record.installerUserId };
}

/** The columns that a record shows. None of them contains a token. */
export const recordColumns = [
  'id',
  'client_id',
  'team_id',
  'team_name',
  'enterprise_id',
  'enterprise_name',
  'is_enterprise_install',
  'app_id',
  'status',
  'broken_reason',
  'installer_user_id',
  'installed_at',
  'uninstalled_at',
  'bot_user_id',
  'bot_scopes',
  'life',
] as const satisfies readonly (keyof InstallationRow)[];
/** The columns of a run that a record shows. */
export const runColumns = [
  'id',
  'pipeline',
  'user_id',
  'status',
  'created_at',
  'finished_at',
  'due_at',
  'waiting_for',
  'moment',
] as const satisfies readonly (keyof RunRow)[];
/** The columns of a step that a record shows; the step's output is not among them. */
export const stepColumns = [
  'name',
  'status',
  'attempts',
  'failures',
  'error_code',
  'error_message',
  'finished_at',
] as const satisfies readonly (keyof StepRow)[];

/** The columns of an installation's newest connection, selected in addition to `recordColumns`. */
interface ConnectionColumns {
  connection_org: string | null;
  connection_subject: string | null;
  connected_at: number | null;
}

/** Selects the newest connection of an installation, as extra columns in the query that reads the installation. */
export function newestConnection(eb: ExpressionBuilder<Tables, 'installations'>) {
  const newest = <Column extends 'org' | 'subject' | 'connected_at'>(column: Column) =>
    eb
      .selectFrom('connections')
      .select(`connections.${column}`)
      .whereRef('connections.installation_id', '=', 'installations.id')
      .orderBy('connections.connected_at', 'desc')
      .orderBy('connections.id', 'desc')
      .limit(1);
  return [
    newest('org').as('connection_org'),
    newest('subject').as('connection_subject'),
    newest('connected_at').as('connected_at'),
  ];
}

/** Makes a record from a row of `recordColumns` and the installation's newest install run. */
export function toInstallRecord(
  row: Pick<InstallationRow, (typeof recordColumns)[number]> & ConnectionColumns,
  run: RunRecord | null,
): InstallRecord {
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
    life: row.life,
    connection:
      row.connection_org === null || row.connected_at === null
        ? null
        : { org: row.connection_org, subject: row.connection_subject, connectedAt: row.connected_at },
    run,
  };
}

/** Makes a record from a step's row. */
export function toStepRecord(row: Pick<StepRow, (typeof stepColumns)[number]>): StepRecord {
  return {
    name: row.name,
    status: row.status,
    attempts: row.attempts,
    failures: row.failures,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    finishedAt: row.finished_at,
  };
}

/** Returns the `Moment` that started a run; undefined for an install or uninstall. */
export function momentOf(run: Pick<RunRow, 'pipeline' | 'user_id' | 'moment'>): Moment | undefined {
  if (run.pipeline === 'install' || run.pipeline === 'uninstall') return undefined;
  // When Foyer erases a person, it erases the stored tab and channel of the person's `opened` runs too. The default
  // values here stand in for them.
  const stored: object = JSON.parse(run.moment ?? '{"tab":"home","channelId":null}');
  const who = run.pipeline === 'opened' && { userId: run.user_id };
  return { kind: run.pipeline, ...who, ...stored } as Moment;
}

/** Makes a record from a run's row and the rows of its steps, in order. */
export function toRunRecord(
  run: Pick<RunRow, (typeof runColumns)[number]>,
  steps: readonly Pick<StepRow, (typeof stepColumns)[number]>[],
): RunRecord {
  const moment = momentOf(run);
  return {
    id: run.id,
    pipeline: run.pipeline,
    ...(moment && { moment }),
    userId: run.user_id,
    status: run.status,
    createdAt: run.created_at,
    finishedAt: run.finished_at,
    dueAt: run.due_at,
    waitingFor: run.waiting_for,
    steps: steps.map(toStepRecord),
  };
}

const recordById = (queries: Queries, given: Given<{ id: string }>) =>
  queries
    .selectFrom('installations')
    .select(recordColumns)
    .select(newestConnection)
    .where('id', '=', given.id);

const runById = (queries: Queries, given: Given<{ id: string }>) =>
  queries.selectFrom('runs').select(runColumns).where('id', '=', given.id);

/**
 * Selects the newest run of an installation's install pipeline. The caller selects the columns and may add conditions.
 */
export const newestInstallRun = (queries: Queries, installationId: string | Expression<string>) =>
  queries
    .selectFrom('runs')
    .where('installation_id', '=', installationId)
    .where('pipeline', '=', 'install')
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1);

const newestRunOf = (queries: Queries, given: Given<{ installationId: string }>) =>
  newestInstallRun(queries, given.installationId).select(runColumns);

const stepsOf = (queries: Queries, given: Given<{ runId: string }>) =>
  queries.selectFrom('steps').select(stepColumns).where('run_id', '=', given.runId).orderBy('position');

const asked = {
  recordById: prepareQuery(recordById),
  runById: prepareQuery(runById),
  newestRunOf: prepareQuery(newestRunOf),
  stepsOf: prepareQuery(stepsOf),
};

/** Reads one run with its steps; undefined if there is no such run. */
export async function readRun(queries: Queries, runId: string): Promise<RunRecord | undefined> {
  const [run] = (await asked.runById(queries, { id: runId })).rows;
  return run && toRunRecord(run, (await asked.stepsOf(queries, { runId })).rows);
}

/** Reads the newest run of an installation's install pipeline with its steps, or null if it has none. */
export async function readNewestRun(queries: Queries, installationId: string): Promise<RunRecord | null> {
  const [run] = (await asked.newestRunOf(queries, { installationId })).rows;
  return run ? toRunRecord(run, (await asked.stepsOf(queries, { runId: run.id })).rows) : null;
}

/** Reads an installation with its newest install run; undefined if there is no such installation. */
export async function readInstallRecord(
  queries: Queries,
  installationId: string,
): Promise<InstallRecord | undefined> {
  const [row] = (await asked.recordById(queries, { id: installationId })).rows;
  return row && toInstallRecord(row, await readNewestRun(queries, row.id));
}

/**
 * `readInstallRecord` as a prepared read, because every opening of App Home needs it. It sees only what is committed.
 */
export function prepareInstallRecord(
  database: Pick<Database, 'prepare' | 'prepareList'>,
): (installationId: string) => Promise<InstallRecord | undefined> {
  const readRow = database.prepare(recordById);
  const readRunRow = database.prepare(newestRunOf);
  const readSteps = database.prepareList(stepsOf);
  return async (installationId) => {
    const row = await readRow({ id: installationId });
    if (!row) return undefined;
    const run = await readRunRow({ installationId });
    return toInstallRecord(row, run ? toRunRecord(run, await readSteps({ runId: run.id })) : null);
  };
}

/** Finds the installations that belong to the team or enterprise with this id. */
export async function findInstallRecords(
  queries: Queries,
  clientId: string,
  id: string,
): Promise<InstallRecord[]> {
  const rows = await queries
    .selectFrom('installations')
    .select(recordColumns)
    .select(newestConnection)
    .where('client_id', '=', clientId)
    .where('tenant', 'in', [`team:${id}`, `enterprise:${id}`])
    .execute();
  return Promise.all(rows.map(async (row) => toInstallRecord(row, await readNewestRun(queries, row.id))));
}
