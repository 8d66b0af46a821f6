import type { Queries } from '../database.ts';

/** Whose tokens are to be erased. */
export interface UserTokenErasure {
  installationId: string;
  /** All people's where it is left out. */
  userIds?: readonly string[];
  /** Only those that were neither granted nor refreshed at or after this time. */
  updatedBefore?: number;
  /** Only those of this version. */
  ifVersion?: number;
}

/** Erases people's tokens for an installation, and returns whose they were. */
export async function eraseUserTokens(transaction: Queries, erasure: UserTokenErasure): Promise<string[]> {
  const { installationId, userIds, updatedBefore, ifVersion } = erasure;
  if (userIds?.length === 0) return [];
  const erased = await transaction
    .deleteFrom('user_tokens')
    .where('installation_id', '=', installationId)
    .$if(userIds !== undefined, (query) => query.where('user_id', 'in', userIds ?? []))
    .$if(updatedBefore !== undefined, (query) => query.where('updated_at', '<', updatedBefore ?? 0))
    .$if(ifVersion !== undefined, (query) => query.where('version', '=', ifVersion ?? 0))
    .returning('user_id')
    .execute();
  return erased.map((row) => row.user_id);
}
