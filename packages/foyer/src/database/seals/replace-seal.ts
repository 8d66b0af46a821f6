import type { Queries } from '../database.ts';
import type { TokenHolder } from '../tokens/token-holder.ts';

/**
 * Puts the same tokens under another seal, unless they were changed meanwhile; returns whether it did. The version
 * stays, since the tokens are the same: a refresh under way is not disturbed.
 */
export async function replaceSeal(
  transaction: Queries,
  replacement: { holder: TokenHolder; from: string; to: string },
): Promise<boolean> {
  const { holder, from, to } = replacement;
  const row =
    holder.userId === undefined
      ? await transaction
          .updateTable('installations')
          .set({ sealed_bot: to })
          .where('id', '=', holder.installationId)
          .where('sealed_bot', '=', from)
          .returning('id')
          .executeTakeFirst()
      : await transaction
          .updateTable('user_tokens')
          .set({ sealed_user: to })
          .where('installation_id', '=', holder.installationId)
          .where('user_id', '=', holder.userId)
          .where('sealed_user', '=', from)
          .returning('user_id')
          .executeTakeFirst();
  return row !== undefined;
}
