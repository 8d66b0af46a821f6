import type { SelectQueryBuilder } from 'kysely';
import type { Queries } from '../database/database.ts';
import type { Tables } from '../database/records.ts';

/**
 * What the operator may see of an installation's tokens: whether they exist and when they expire, but never the tokens
 * themselves.
 */
export interface TokenTimes {
  /** Null if no bot token is stored. `expiresAt` is null if the token does not expire. */
  bot: { expiresAt: number | null } | null;
  /** How many people have their own token, and when the first of these tokens expires (null if no token expires). */
  users: number;
  usersExpireFrom: number | null;
}

/** Reads when an installation's tokens expire. */
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

/**
 * Foyer refreshes tokens two hours before they expire. So if a token has less than an hour left, it was not refreshed
 * in time.
 */
export const lapsingWithinMs = 3_600_000;

/** Tokens that may need an operator's attention. */
export interface TokensAtRisk {
  /** The number of bot tokens that have expired or will expire before the given time. */
  lapsingBots: number;
  /** The number of people's tokens that have expired or will expire before the given time. */
  lapsingUsers: number;
  /** The number of install requests with tokens that Foyer has neither stored in an installation nor revoked yet. */
  unstored: number;
}

/**
 * Counts the tokens that expire before `before`, and the install requests whose tokens are neither stored nor revoked
 * yet.
 */
export async function countTokensAtRisk(
  queries: Queries,
  { clientId, before }: { clientId: string; before: number },
): Promise<TokensAtRisk> {
  const bots = queries
    .selectFrom('installations')
    .where('client_id', '=', clientId)
    .where('status', '=', 'active')
    .where('bot_expires_at', '<=', before);
  // Not a join: the database would then read every installation first, although few people's tokens expire soon.
  const users = queries
    .selectFrom('user_tokens')
    .where('expires_at', '<=', before)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('installations')
          .select('installations.id')
          .whereRef('installations.id', '=', 'user_tokens.installation_id')
          .where('installations.client_id', '=', clientId),
      ),
    );
  const unstored = queries
    .selectFrom('install_requests')
    .where('client_id', '=', clientId)
    .where('sealed_tokens', 'is not', null);
  return {
    lapsingBots: await countFound(bots),
    lapsingUsers: await countFound(users),
    unstored: await countFound(unstored),
  };
}

/** Counts all rows of a query. */
export async function countFound<T extends keyof Tables>(
  found: SelectQueryBuilder<Tables, T, object>,
): Promise<number> {
  const { count } = await found
    .select(({ fn }) => fn.countAll<number | string | bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
