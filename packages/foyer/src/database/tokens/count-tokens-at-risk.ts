import type { Queries } from '../database.ts';

/** Tokens about which somebody may have to do something. */
export interface TokensAtRisk {
  /** Tokens of bots and people that lapse before the time asked for, or have lapsed. */
  lapsingBots: number;
  lapsingUsers: number;
  /** Install requests with tokens that Slack issued, that no installation holds, and that were not given back yet. */
  unstored: number;
}

type Count = number | string | bigint;

/** Counts the tokens that lapse before `before`, and those that wait to be given back. */
export async function countTokensAtRisk(
  queries: Queries,
  search: { clientId: string; before: number },
): Promise<TokensAtRisk> {
  const { clientId, before } = search;
  const bots = await queries
    .selectFrom('installations')
    .select(({ fn }) => fn.countAll<Count>().as('count'))
    .where('client_id', '=', clientId)
    .where('status', '=', 'active')
    .where('bot_expires_at', '<=', before)
    .executeTakeFirstOrThrow();
  // Not a join: it would begin with every installation, where few people's tokens lapse.
  const users = await queries
    .selectFrom('user_tokens')
    .select(({ fn }) => fn.countAll<Count>().as('count'))
    .where('expires_at', '<=', before)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('installations')
          .select('installations.id')
          .whereRef('installations.id', '=', 'user_tokens.installation_id')
          .where('installations.client_id', '=', clientId),
      ),
    )
    .executeTakeFirstOrThrow();
  const unstored = await queries
    .selectFrom('install_requests')
    .select(({ fn }) => fn.countAll<Count>().as('count'))
    .where('client_id', '=', clientId)
    .where('sealed_tokens', 'is not', null)
    .executeTakeFirstOrThrow();
  return {
    lapsingBots: Number(bots.count),
    lapsingUsers: Number(users.count),
    unstored: Number(unstored.count),
  };
}
