import type { Queries } from '../database.ts';
import type { TokenHolder } from './token-holder.ts';

/** Ends a lease whose refresh has failed: nobody tries again before `until`. Does nothing if the lease is gone. */
export async function postponeRefresh(
  transaction: Queries,
  lease: { holder: TokenHolder; owner: string; until: number },
): Promise<void> {
  const { holder, owner } = lease;
  const postponed = { refresh_owner: null, refresh_until: lease.until };
  if (holder.userId === undefined) {
    await transaction
      .updateTable('installations')
      .set(postponed)
      .where('id', '=', holder.installationId)
      .where('refresh_owner', '=', owner)
      .execute();
  } else {
    await transaction
      .updateTable('user_tokens')
      .set(postponed)
      .where('installation_id', '=', holder.installationId)
      .where('user_id', '=', holder.userId)
      .where('refresh_owner', '=', owner)
      .execute();
  }
}
