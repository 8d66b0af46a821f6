import type { Queries } from './database.ts';

/** What may be shown of an installation's tokens: that they are there, and when they lapse; never the tokens. */
export interface TokenTimes {
  bot: { expiresAt: number | null } | null;
  users: { userId: string; expiresAt: number | null }[];
}

/** Reads when an installation's tokens lapse; at most `limit` people's. */
export async function readTokenTimes(
  queries: Queries,
  installationId: string,
  limit: number,
): Promise<TokenTimes> {
  const bot = await queries
    .selectFrom('installations')
    .select('bot_expires_at')
    .where('id', '=', installationId)
    .where('sealed_bot', 'is not', null)
    .where('bot_user_id', 'is not', null)
    .executeTakeFirst();
  const users = await queries
    .selectFrom('user_tokens')
    .select(['user_id', 'expires_at'])
    .where('installation_id', '=', installationId)
    .orderBy('user_id')
    .limit(limit)
    .execute();
  return {
    bot: bot ? { expiresAt: bot.bot_expires_at } : null,
    users: users.map((row) => ({ userId: row.user_id, expiresAt: row.expires_at })),
  };
}
