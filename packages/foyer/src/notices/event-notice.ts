import type { Queries } from '../database/database.ts';
import {
  type InstallRecord,
  isHeld,
  type RunRecord,
  readInstallRecord,
  readRun,
  registeredTeamId,
} from '../database/install-record.ts';
import { hasUserToken } from '../database/installation-tokens.ts';
import { inactiveCode } from '../database/installations.ts';
import { troubledChannel } from '../database/notices.ts';
import type { OperatorNoticeRow } from '../database/records.ts';
import { notifyStepName } from './operator-channel.ts';
import { type OperatorMessage, type Span, troubleLine } from './operator-message.ts';

/**
 * Builds the message to the operators about an uninstall, a dead token, a failed run, a rate limit or a failed channel.
 * Returns undefined if the message is no longer needed: the installation or the run was erased, the token works again
 * or is gone, the run no longer counts as failed, or its `notify-operators` step has already reported all failures.
 */
export async function eventNotice(
  queries: Queries,
  appName: string,
  row: OperatorNoticeRow,
): Promise<OperatorMessage | undefined> {
  const record = await readInstallRecord(queries, row.installation_id);
  if (!record) return undefined;
  switch (row.kind) {
    case 'uninstalled':
      return uninstalledNotice(appName, record, row);
    case 'token_died':
      return (await isStillDead(queries, record, row)) ? tokenDiedNotice(appName, record, row) : undefined;
    case 'run_failed': {
      const run = await readRun(queries, row.cause_id.split('/')[0] ?? row.cause_id);
      return run && isUntold(run) ? runFailedNotice(appName, record, run) : undefined;
    }
    case 'rate_limited':
      return rateLimitedNotice(appName, record);
    case 'channel_failed':
      return channelFailedNotice(appName, row);
    case 'installed':
      return undefined;
  }
}

async function isStillDead(
  queries: Queries,
  { id: installationId, status }: InstallRecord,
  { user_id: userId }: OperatorNoticeRow,
): Promise<boolean> {
  if (userId === null) return status === 'broken';
  // When a person's token dies, Foyer erases it. So if a token is stored for the person now, it was issued later.
  return status !== 'uninstalled' && !(await hasUserToken(queries, { installationId, userId }));
}

/**
 * Returns whether a failed run has a failure that the operators do not know of. A run reports its failed steps in
 * a message of its own, but another step may fail after that message.
 */
function isUntold(run: RunRecord): boolean {
  if (run.status !== 'failed') return false;
  const own = run.steps.find(({ name }) => name === notifyStepName);
  if (own?.finishedAt == null || (own.status !== 'succeeded' && own.status !== 'unconfirmed')) return true;
  const toldAt = own.finishedAt;
  return run.steps.some(({ status, finishedAt }) => status === 'failed' && (finishedAt ?? 0) > toldAt);
}

function placeOf(record: InstallRecord): string {
  const name = record.isEnterpriseInstall ? record.enterpriseName : record.teamName;
  return name ?? registeredTeamId(record);
}

/** Whether Slack reported the uninstall. If not, an operator or the host uninstalled the app. */
const isSlacks = (reason: string): boolean =>
  reason.startsWith('app_uninstalled') || reason === inactiveCode || reason === 'deleted';

function uninstalledNotice(appName: string, record: InstallRecord, row: OperatorNoticeRow): OperatorMessage {
  const place = placeOf(record);
  if (row.detail !== null && !isSlacks(row.detail)) {
    const kept = '. The tokens are erased; the record is kept.';
    return {
      subject: `[${appName}] The app was uninstalled from ${place}`,
      lines: [
        [
          { name: appName },
          ' was uninstalled from ',
          { bold: place },
          ' on our side: ',
          { code: row.detail },
          kept,
        ],
        whereToLook(record),
      ],
    };
  }
  return {
    subject: `[${appName}] ${place} uninstalled the app`,
    lines: [
      [{ bold: place }, ' uninstalled ', { name: appName }, '. The tokens are erased; the record is kept.'],
      whereToLook(record),
    ],
  };
}

function rateLimitedNotice(appName: string, record: InstallRecord): OperatorMessage {
  const place = placeOf(record);
  return {
    subject: `[${appName}] Slack drops events from ${place}`,
    lines: [
      [
        { bold: place },
        ' (',
        { code: registeredTeamId(record) },
        ') sends too many events to ',
        { name: appName },
        '.',
      ],
      [
        'Slack delivers at most 30,000 events an hour from one workspace. It drops the others, and they are lost.',
      ],
      whereToLook(record),
    ],
  };
}

function tokenDiedNotice(appName: string, record: InstallRecord, row: OperatorNoticeRow): OperatorMessage {
  const place = placeOf(record);
  const reason: Span[] = row.detail === null ? ['.'] : [': ', { code: row.detail }, '.'];
  if (row.user_id !== null) {
    return {
      subject: `[${appName}] Slack refuses ${row.user_id}’s token in ${place}`,
      lines: [
        ['Slack refuses the token of ', { code: row.user_id }, ' in ', { bold: place }, ...reason],
        ['They can authorize ', { name: appName }, ' again. For everyone else the app keeps working.'],
        whereToLook(record),
      ],
    };
  }
  return {
    subject: `[${appName}] Slack refuses the app’s token in ${place}`,
    lines: [
      ['Slack refuses the token of ', { name: appName }, ' in ', { bold: place }, ...reason],
      isHeld(record)
        ? [
            'Either the app was removed there, or Slack has suspended it everywhere. Foyer keeps the tokens and asks Slack again every 15 minutes.',
          ]
        : ['The app does not work there until an admin installs it again.'],
      whereToLook(record),
    ],
  };
}

function runFailedNotice(appName: string, record: InstallRecord, run: RunRecord): OperatorMessage {
  const place = placeOf(record);
  const failed = run.steps.filter(({ status }) => status === 'failed');
  const isUninstall = run.pipeline === 'uninstall';
  const what: Span[] = isUninstall
    ? ['The steps after the uninstall of ', { name: appName }, ' in ', { bold: place }, ' failed.']
    : ['Setup of ', { name: appName }, ' in ', { bold: place }, ' for ', { code: run.userId }, ' failed.'];
  return {
    subject: `[${appName}] An ${isUninstall ? 'uninstall' : 'install'} in ${place} did not finish`,
    lines: [
      what,
      ...failed.slice(0, 15).map(troubleLine),
      // After an uninstall, `retry` refuses an install run.
      isUninstall || record.status !== 'uninstalled'
        ? ['After you have fixed the cause: ', { code: `npm run foyer -- retry ${run.id}` }]
        : whereToLook(record),
    ],
  };
}

function channelFailedNotice(appName: string, row: OperatorNoticeRow): OperatorMessage | undefined {
  const channel = troubledChannel(row.cause_id);
  if (channel === undefined) return undefined;
  const what = channel === 'webhook' ? 'The webhook' : 'The mail server';
  const reason: Span[] = row.detail === null ? ['.'] : [': ', { code: row.detail }, '.'];
  return {
    subject: `[${appName}] ${what} does not accept notifications`,
    lines: [
      [what, ' does not accept notifications from ', { name: appName }, ...reason],
      ['Installs are not affected. To see what is wrong: ', { code: 'npm run foyer -- doctor' }],
    ],
  };
}

function whereToLook(record: InstallRecord): Span[] {
  return ['More: ', { code: `npm run foyer -- show ${registeredTeamId(record)}` }];
}
