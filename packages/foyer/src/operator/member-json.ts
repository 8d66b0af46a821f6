import type { MemberRecord } from '../database/people/members.ts';
import { isoTime } from './install-record-json.ts';

/** Returns a member as `members --json` prints them. Absent values are null. */
export function memberJson(member: MemberRecord) {
  const { role, userId, teamId, name, realName, email, timezone, locale, avatarUrl, hasUserToken } = member;
  return {
    userId,
    /** Their own workspace (or organization); for the role `external`, it differs from the installation's. */
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
    /** To within an hour. */
    lastSeenAt: isoTime(member.lastSeenAt),
  };
}
