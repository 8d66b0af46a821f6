import type { HistoryRecord } from '../database/history.ts';
import {
  type InstallRecord,
  isHeld,
  type RunRecord,
  registeredTeamId,
  type StepRecord,
} from '../database/install-record.ts';
import type { UserRecord } from '../database/people/people.ts';
import type { InstallationStatus } from '../database/records.ts';
import type { StepAttemptRecord } from '../database/run-steps.ts';
import type { Output } from './terminal/output.ts';
import { plainText } from './terminal/plain-text.ts';
import { statusStyle } from './terminal/status-style.ts';
import { type Column, fieldLines, table } from './terminal/table.ts';
import { durationText, timeText } from './terminal/time-text.ts';

/**
 * Returns a run's moment and its subject, such as `workspaceGranted T123`. For a run without a moment, returns its
 * pipeline.
 */
export function momentText({ pipeline, moment }: Pick<RunRecord, 'pipeline' | 'moment'>): string {
  switch (moment?.kind) {
    case 'upgraded':
      return `upgraded ${moment.addedScopes.join(', ')}`;
    case 'opened':
      return `opened ${moment.tab}`;
    case 'workspaceGranted':
      return `workspaceGranted ${moment.teamId}`;
    case undefined:
      return pipeline;
  }
}

/**
 * Returns the steps to look at first: the failed ones; if there are none, the unconfirmed ones; else the retrying ones.
 */
export function troubledSteps({ run }: InstallRecord): StepRecord[] {
  const steps = run?.steps ?? [];
  const worst = (['failed', 'unconfirmed', 'retrying'] as const).find((status) =>
    steps.some((step) => step.status === status),
  );
  return steps.filter(({ status }) => status === worst);
}

interface InstallDetails {
  record: InstallRecord;
  users: UserRecord[];
  /** Newest first. */
  history: HistoryRecord[];
  /** The attempts of all steps of `record.run`. */
  attempts: StepAttemptRecord[];
  /** The uninstall run, if it is the newest run. */
  uninstall?: { run: RunRecord; attempts: StepAttemptRecord[] };
  /** The runs of the pipelines in `momentKinds`, newest first, at most `mostShown`. */
  moments?: RunRecord[];
  /** How many runs of these pipelines there are in all. */
  momentCount?: number;
}

/** The most people, moment runs and lines of history that `show` prints. `--json` prints more. */
export const mostShown = 20;
/** The most runs that `show --json` prints. */
export const mostRuns = 1000;

type Canvas = Pick<Output, 'style' | 'width'>;

/** Formats the install record for a person to read: sections of aligned lines. */
export function installRecordText(output: Canvas, details: InstallDetails): string {
  const { record, users, history, attempts, uninstall, moments = [], momentCount = moments.length } = details;
  const sections = [headSection(output, record, users)];
  if (uninstall) sections.push(...runSections(output, uninstall.run, uninstall.attempts));
  if (record.run) sections.push(...runSections(output, record.run, attempts, record.status));
  if (moments.length > 0) {
    const more = `--json shows the newest ${mostRuns} runs`;
    sections.push(section(output, 'Moments', moments, momentColumns, { total: momentCount, more }));
  }
  sections.push(
    section(output, 'Users', users, userColumns),
    section(output, 'History', history, historyColumns),
  );
  return sections.join('\n\n');
}

function headSection(output: Canvas, record: InstallRecord, users: UserRecord[]): string {
  const installer = users.find((user) => user.userId === record.installerUserId);
  const name = installer?.realName ?? installer?.name;
  const title = (record.isEnterpriseInstall ? record.enterpriseName : record.teamName) ?? 'unnamed';
  const status = output.style(statusStyle(record.status) ?? 'bold', record.status);
  const head = `${output.style('bold', plainText(`${title} (${registeredTeamId(record)})`))}  ${status}`;
  const fields = fieldLines([
    ['installed', timeText(record.installedAt)],
    ['by', name ? `${name} (${record.installerUserId})` : record.installerUserId],
    ['connected to', connectionText(record)],
    ['uninstalled', record.uninstalledAt === null ? null : timeText(record.uninstalledAt)],
    ['broken by', record.brokenReason],
    ['held', isHeld(record) ? 'its tokens are kept, and Foyer asks Slack again every 15 minutes' : null],
    ['covers', record.isEnterpriseInstall ? 'the whole organization' : null],
    ['enterprise', record.isEnterpriseInstall ? null : enterpriseText(record)],
    ['app', record.appId],
    ['bot user', record.botUserId],
    ['bot scopes', record.botScopes?.join(', ') ?? null],
  ]);
  return `${head}\n${fields}`;
}

function connectionText({ connection }: InstallRecord): string | null {
  if (!connection) return null;
  const by = connection.subject === null ? '' : ` by ${connection.subject}`;
  return `${connection.org}${by}, ${timeText(connection.connectedAt)}`;
}

function enterpriseText({ enterpriseId, enterpriseName }: InstallRecord): string | null {
  return enterpriseId && enterpriseName ? `${enterpriseName} (${enterpriseId})` : enterpriseId;
}

function runSections(
  output: Canvas,
  run: RunRecord,
  attempts: StepAttemptRecord[],
  installation?: InstallationStatus,
): string[] {
  const mayRetry = run.status === 'failed' && installation !== 'uninstalled';
  const status = output.style(statusStyle(run.status) ?? 'bold', run.status);
  const fields = fieldLines([
    ['for', run.userId],
    ['created', timeText(run.createdAt)],
    ['finished', run.finishedAt === null ? null : timeText(run.finishedAt)],
    ['waits for', run.waitingFor],
    ['next try', run.dueAt === null || run.status !== 'waiting' ? null : timeText(run.dueAt)],
    ['try again', mayRetry ? `npm run foyer -- retry ${run.id}` : null],
  ]);
  const head = `${output.style('bold', `${run.pipeline === 'uninstall' ? 'Uninstall run' : 'Run'} ${run.id}`)}  ${status}\n${fields}`;
  const sections = [`${head}\n\n${indent(table(inner(output), stepColumns, run.steps))}`];
  if (attempts.length > 0)
    sections.push(section(output, 'Attempts', attempts, attemptColumns, { most: attempts.length }));
  return sections;
}

interface SectionOptions {
  /** How many rows to print at most. */
  most?: number;
  /** How many rows exist, if `rows` contains only some of them. */
  total?: number;
  /** How to see the rows that are not printed. */
  more?: string;
}

function section<Row>(
  output: Canvas,
  title: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { most = mostShown, total = rows.length, more = '--json shows all' }: SectionOptions = {},
): string {
  const head = output.style('bold', `${title} (${total})`);
  if (rows.length === 0) return head;
  const lines = indent(table(inner(output), columns, rows.slice(0, most)));
  const rest = total - most;
  return `${head}\n${lines}${rest > 0 ? `\n  and ${rest} more: ${more}` : ''}`;
}

/** Returns a canvas for an indented section: two columns narrower than the given canvas. */
function inner({ style, width }: Canvas): Canvas {
  return { style, width: width - 2 };
}

function indent(lines: string): string {
  return lines.replaceAll(/^/gm, '  ');
}

function errorText(of: { errorCode: string | null; errorMessage: string | null }): string | null {
  return of.errorCode && of.errorMessage ? `${of.errorCode}: ${of.errorMessage}` : of.errorCode;
}

const stepColumns: Column<StepRecord>[] = [
  { title: 'STEP', value: (step) => step.name },
  { title: 'STATUS', value: (step) => step.status, style: (step) => statusStyle(step.status) },
  { title: 'ATTEMPTS', value: (step) => step.attempts },
  { title: 'FINISHED', value: (step) => (step.finishedAt === null ? null : timeText(step.finishedAt)) },
  { title: 'ERROR', value: errorText },
];

const attemptColumns: Column<StepAttemptRecord>[] = [
  { title: 'STEP', value: (attempt) => attempt.stepName },
  { title: 'TRY', value: (attempt) => attempt.attempt },
  { title: 'STARTED', value: (attempt) => timeText(attempt.startedAt) },
  {
    title: 'TOOK',
    value: ({ startedAt, finishedAt }) => (finishedAt === null ? null : durationText(finishedAt - startedAt)),
  },
  { title: 'OUTCOME', value: ({ outcome }) => outcome, style: ({ outcome }) => statusStyle(outcome) },
  { title: 'ERROR', value: errorText },
];

const momentColumns: Column<RunRecord>[] = [
  { title: 'RUN', value: (run) => run.id },
  { title: 'MOMENT', value: momentText },
  { title: 'FOR', value: (run) => run.userId },
  { title: 'STATUS', value: (run) => run.status, style: (run) => statusStyle(run.status) },
  { title: 'CREATED', value: (run) => timeText(run.createdAt) },
  {
    title: 'FAILED',
    value: ({ steps }) =>
      steps
        .filter((step) => step.status === 'failed')
        .map((step) => `${step.name}: ${step.errorCode ?? 'unknown'}`)
        .join(', ') || null,
  },
];

const userColumns: Column<UserRecord>[] = [
  { title: 'USER', value: (user) => user.userId },
  { title: 'NAME', value: (user) => user.realName ?? user.name },
  { title: 'EMAIL', value: (user) => user.email },
  { title: 'TIME ZONE', value: (user) => user.timezone },
  { title: 'ROLE', value: (user) => (user.isOwner ? 'owner' : user.isAdmin ? 'admin' : 'member') },
  { title: 'OWN TOKEN', value: (user) => (user.hasUserToken ? 'yes' : 'no') },
  { title: 'SINCE', value: (user) => timeText(user.firstSeenAt) },
];

const historyColumns: Column<HistoryRecord>[] = [
  { title: 'WHEN', value: (entry) => timeText(entry.at) },
  { title: 'WHAT', value: (entry) => entry.kind },
  // Empty for an operator's action: a user id is ambiguous without its workspace, so DETAIL names both.
  { title: 'USER', value: ({ kind, userId }) => (kind === 'operator_action' ? null : userId) },
  { title: 'DETAIL', value: (entry) => entry.detail },
];
