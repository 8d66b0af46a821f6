import type { Queries } from '../database.ts';

/** What may be shown of an installation's tokens: that they are there, and when they lapse; never the tokens. */
export interface TokenTimes {
  /** Null without a bot's token. */
  bot: { expiresAt: number | null } | null;
  /** How many people have a token of their own, and when the first of those lapses. */
  users: number;
  usersExpireFrom: number | null;
}

/** Reads when an installation's tokens lapse. */
export async function readTokenTimes(queries: Queries, installationId: string): Promise<TokenTimes> {
  const bot = await queries
    .selectFrom('installations')
    .select('bot_expires_at')
    .where('id', '=', installationId)
    .where('sealed_bot', 'is not', null)
    .where('bot_user_id', 'is not', null)
    .executeTakeFirst();
  const users = await queries
    .selectFrom('user_tokens')
    .select(({ fn }) => [
      fn.countAll<number | string | bigint>().as('count'),
      fn.min<number | string | null>('expires_at').as('first'),
    ])
    .where('installation_id', '=', installationId)
    .executeTakeFirstOrThrow();
  return {
    bot: bot ? { expiresAt: bot.bot_expires_at } : null,
    users: Number(users.count),
    usersExpireFrom: users.first === null ? null : Number(users.first),
  };
}
