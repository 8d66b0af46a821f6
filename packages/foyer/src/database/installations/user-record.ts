import type { Queries } from '../database.ts';
import type { UserProfile } from '../people/save-profile.ts';
import type { MembershipRow, UserRow } from '../records.ts';
import { type InstallRecord, registeredTeamId } from './install-record.ts';

/** A person of the installation's team, as stored. */
export interface UserRecord extends UserProfile {
  userId: string;
  hasUserToken: boolean;
  firstSeenAt: number;
}

/** What is read of a person: their own row, their membership's, and whose token there is of them. */
type PersonRow = Pick<
  UserRow,
  'user_id' | 'name' | 'real_name' | 'email' | 'timezone' | 'locale' | 'avatar_url'
> &
  Pick<MembershipRow, 'is_admin' | 'is_owner'> & { member_since: number; token_user_id: string | null };

/** A person's rows as a record. */
export function toUserRecord(row: PersonRow): UserRecord {
  return {
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
  };
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
  return rows.map(toUserRecord);
}
