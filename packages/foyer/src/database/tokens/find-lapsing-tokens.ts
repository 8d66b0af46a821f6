import type { Queries } from '../database.ts';
import type { TokenHolder } from './token-holder.ts';

/**
 * Finds tokens of active installations that lapse before `before` and that nobody refreshes now, soonest first: at most
 * `limit` bots' and as many people's. Those that have lapsed already are among them.
 */
export async function findLapsingTokens(
  queries: Queries,
  search: { clientId: string; before: number; now: number; limit: number },
): Promise<TokenHolder[]> {
  const { clientId, before, now, limit } = search;
  const bots = await queries
    .selectFrom('installations')
    .select('id')
    .where('client_id', '=', clientId)
    .where('status', '=', 'active')
    .where('bot_expires_at', '<=', before)
    .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', now)]))
    .orderBy('bot_expires_at')
    .limit(limit)
    .execute();
  // Not a join: it would begin with every installation, where few people's tokens lapse.
  const users = await queries
    .selectFrom('user_tokens')
    .select(['installation_id', 'user_id'])
    .where('expires_at', '<=', before)
    .where((eb) => eb.or([eb('refresh_until', 'is', null), eb('refresh_until', '<=', now)]))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('installations')
          .select('installations.id')
          .whereRef('installations.id', '=', 'user_tokens.installation_id')
          .where('installations.client_id', '=', clientId)
          .where('installations.status', '!=', 'uninstalled'),
      ),
    )
    .orderBy('expires_at')
    .limit(limit)
    .execute();
  return [
    ...bots.map((row) => ({ installationId: row.id })),
    ...users.map((row) => ({ installationId: row.installation_id, userId: row.user_id })),
  ];
}
