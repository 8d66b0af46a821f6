import type { Queries } from '../database.ts';
import type { TokenHolder } from './token-holder.ts';

/**
 * Takes the sole right to refresh tokens until `until`, if they are still those of `ifVersion` and nobody has it.
 * Returns whether it was taken (invariant 8).
 */
export async function takeRefreshLease(
  transaction: Queries,
  lease: { holder: TokenHolder; ifVersion: number; owner: string; until: number; now: number },
): Promise<boolean> {
  const { holder, ifVersion, now } = lease;
  const taken = { refresh_owner: lease.owner, refresh_until: lease.until };
  const row =
    holder.userId === undefined
      ? await transaction
          .updateTable('installations')
          .set(taken)
          .where('id', '=', holder.installationId)
          .where('version', '=', ifVersion)
          .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', now)]))
          .returning('id')
          .executeTakeFirst()
      : await transaction
          .updateTable('user_tokens')
          .set(taken)
          .where('installation_id', '=', holder.installationId)
          .where('user_id', '=', holder.userId)
          .where('version', '=', ifVersion)
          .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', now)]))
          .returning('user_id')
          .executeTakeFirst();
  return row !== undefined;
}
