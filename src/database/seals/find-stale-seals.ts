import type { Queries } from '../database.ts';
import type { TokenHolder } from '../tokens/token-holder.ts';

/** Sealed tokens that do not begin with what the current key makes. */
export interface StaleSeal {
  holder: TokenHolder;
  sealed: string;
}

/** Finds at most `limit` sealed tokens of each kind, of any app, that do not begin with `prefix`. */
export async function findStaleSeals(
  queries: Queries,
  search: { prefix: string; limit: number },
): Promise<StaleSeal[]> {
  const { prefix, limit } = search;
  const bots = await queries
    .selectFrom('installations')
    .select(['id', 'sealed_bot'])
    .where('sealed_bot', 'is not', null)
    .where((eb) =>
      eb(eb.fn<string>('substr', ['sealed_bot', eb.lit(1), eb.lit(prefix.length)]), '!=', prefix),
    )
    .limit(limit)
    .execute();
  const users = await queries
    .selectFrom('user_tokens')
    .select(['installation_id', 'user_id', 'sealed_user'])
    .where((eb) =>
      eb(eb.fn<string>('substr', ['sealed_user', eb.lit(1), eb.lit(prefix.length)]), '!=', prefix),
    )
    .limit(limit)
    .execute();
  return [
    ...bots.map((row) => ({ holder: { installationId: row.id }, sealed: row.sealed_bot ?? '' })),
    ...users.map((row) => ({
      holder: { installationId: row.installation_id, userId: row.user_id },
      sealed: row.sealed_user,
    })),
  ];
}
