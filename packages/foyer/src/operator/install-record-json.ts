import type { HistoryRecord } from '../database/history.ts';
import type { InstallRecord, RunRecord } from '../database/install-record.ts';
import type { MemberRecord } from '../database/people/members.ts';
import type { UserRecord } from '../database/people/people.ts';

/**
 * All code that prints an installation or a member as JSON uses this file, because other people's scripts depend on
 * these shapes. Times are in ISO 8601. Absent values are null, with one exception: a run that no moment started has no
 * `moment`.
 */

/** Formats a time in ISO 8601. */
export function isoTime(ms: number): string;
export function isoTime(ms: number | null): string | null;
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** Returns an installation as `list --json` prints it. */
export function installRecordJson(record: InstallRecord) {
  return {
    teamId: record.teamId,
    teamName: record.teamName,
    enterpriseId: record.enterpriseId,
    isEnterpriseInstall: record.isEnterpriseInstall,
    status: record.status,
    installerUserId: record.installerUserId,
    installedAt: isoTime(record.installedAt),
    botScopes: record.botScopes,
    connection: record.connection && {
      org: record.connection.org,
      subject: record.connection.subject,
      connectedAt: isoTime(record.connection.connectedAt),
    },
    run: record.run && runJson(record.run),
  };
}

function runJson(run: RunRecord) {
  return {
    id: run.id,
    pipeline: run.pipeline,
    ...(run.moment && { moment: run.moment }),
    status: run.status,
    steps: run.steps.map(({ name, status, attempts, errorCode }) => ({
      name,
      status,
      attempts,
      error: errorCode,
    })),
  };
}

/** Returns an installation as `show --json` prints it. */
export function installDetailsJson(
  record: InstallRecord,
  details: { runs: RunRecord[]; users: UserRecord[]; history: HistoryRecord[] },
) {
  const { runs, users, history } = details;
  return {
    ...installRecordJson(record),
    /** The runs of all pipelines, newest first. */
    runs: runs.map(runJson),
    users: users.map((user) => ({
      userId: user.userId,
      teamId: user.teamId,
      name: user.name,
      realName: user.realName,
      email: user.email,
      timezone: user.timezone,
      avatarUrl: user.avatarUrl,
      hasUserToken: user.hasUserToken,
      firstSeenAt: isoTime(user.firstSeenAt),
    })),
    history: history.map(({ at, kind, userId, detail }) => ({ at: isoTime(at), kind, userId, detail })),
  };
}

/** Returns a member as `members --json` prints them. Absent values are null. */
export function memberJson(member: MemberRecord) {
  const { role, userId, teamId, name, realName, email, timezone, locale, avatarUrl, hasUserToken } = member;
  return {
    userId,
    /**
     * The id of the member's own workspace or organization. If the member's role is `external`, the app is installed in
     * a different workspace or organization.
     */
    teamId,
    role,
    name,
    realName,
    email,
    timezone,
    locale,
    avatarUrl,
    hasUserToken,
    isDeactivated: member.deactivatedAt !== null,
    firstSeenAt: isoTime(member.firstSeenAt),
    /** Accurate to within an hour. */
    lastSeenAt: isoTime(member.lastSeenAt),
  };
}
