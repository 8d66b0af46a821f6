import type { Database } from '../database.ts';
import { type InstallRecord, registeredTeamId } from '../installations/install-record.ts';
import { toUserRecord, type UserRecord } from '../installations/user-record.ts';
import type { Given } from '../prepared-query.ts';

/** A person of an installation's team. */
export interface Member {
  /** Whether they are an admin or an owner of it. */
  isAdmin: boolean;
  /** When Slack last said so, or that they are not. */
  provenAt: number;
  /** Undefined for somebody who was only asked about. */
  profile: UserRecord | undefined;
}

/** Makes the read of one person of an installation's team: prepared, and of what is committed alone. */
export function prepareMember(
  database: Pick<Database, 'prepare'>,
): (record: InstallRecord, userId: string) => Promise<Member | undefined> {
  const read = database.prepare(
    (queries, given: Given<{ clientId: string; teamId: string; installationId: string; userId: string }>) =>
      queries
        .selectFrom('memberships')
        .leftJoin('users', (join) =>
          join
            .onRef('users.user_id', '=', 'memberships.user_id')
            .onRef('users.client_id', '=', 'memberships.client_id'),
        )
        .leftJoin('user_tokens', (join) =>
          join
            .onRef('user_tokens.user_id', '=', 'memberships.user_id')
            .on('user_tokens.installation_id', '=', given.installationId),
        )
        .select(['memberships.is_admin', 'memberships.is_owner'])
        .select(['memberships.first_seen_at as member_since', 'memberships.updated_at'])
        .select(['users.user_id', 'users.name', 'users.real_name', 'users.email'])
        .select(['users.timezone', 'users.locale', 'users.avatar_url'])
        .select('user_tokens.user_id as token_user_id')
        .where('memberships.client_id', '=', given.clientId)
        .where('memberships.team_id', '=', given.teamId)
        .where('memberships.user_id', '=', given.userId),
  );
  return async (record, userId) => {
    const { id: installationId, clientId } = record;
    const row = await read({ clientId, teamId: registeredTeamId(record), installationId, userId });
    if (!row) return undefined;
    const { user_id, updated_at: provenAt } = row;
    const isAdmin = row.is_admin === 1 || row.is_owner === 1;
    return { isAdmin, provenAt, profile: user_id === null ? undefined : toUserRecord({ ...row, user_id }) };
  };
}
