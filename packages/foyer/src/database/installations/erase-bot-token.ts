import type { Queries } from '../database.ts';

/**
 * Erases what is sealed of an installation's bot and changes its status. The bot's id and scopes stay for the record.
 * Returns whether there was anything to erase or to change.
 */
export async function eraseBotToken(
  transaction: Queries,
  erasure: { installationId: string } & (
    | { status: 'uninstalled'; now: number }
    | { status: 'broken'; reason: string }
  ),
): Promise<boolean> {
  const row = await transaction
    .updateTable('installations')
    .set((eb) => ({
      status: erasure.status,
      broken_reason: erasure.status === 'broken' ? erasure.reason : null,
      ...(erasure.status === 'uninstalled' ? { uninstalled_at: erasure.now } : {}),
      version: eb('version', '+', 1),
      sealed_bot: null,
      bot_expires_at: null,
      refresh_owner: null,
      refresh_until: null,
    }))
    .where('id', '=', erasure.installationId)
    .where('status', '!=', 'uninstalled')
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
