import type { Queries } from '../database.ts';
import type { TokenHolder } from './token-holder.ts';

/**
 * Writes refreshed tokens if they are still those of `ifVersion`, and ends the lease. Returns whether it did: a newer
 * install wins (invariant 8). `expiresAt` is in milliseconds.
 */
export async function saveRefreshedToken(
  transaction: Queries,
  refreshed: { holder: TokenHolder; ifVersion: number; sealed: string; expiresAt: number; now: number },
): Promise<boolean> {
  const { holder, ifVersion, sealed, expiresAt } = refreshed;
  const free = { version: ifVersion + 1, refresh_owner: null, refresh_until: null };
  const row =
    holder.userId === undefined
      ? await transaction
          .updateTable('installations')
          .set({ ...free, sealed_bot: sealed, bot_expires_at: expiresAt })
          .where('id', '=', holder.installationId)
          .where('version', '=', ifVersion)
          .where('sealed_bot', 'is not', null)
          .returning('id')
          .executeTakeFirst()
      : await transaction
          .updateTable('user_tokens')
          .set({ ...free, sealed_user: sealed, expires_at: expiresAt, updated_at: refreshed.now })
          .where('installation_id', '=', holder.installationId)
          .where('user_id', '=', holder.userId)
          .where('version', '=', ifVersion)
          .returning('user_id')
          .executeTakeFirst();
  return row !== undefined;
}
