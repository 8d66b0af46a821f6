import type { Queries } from '../database.ts';

/** Installations that were granted the same scopes. */
export interface GrantedScopes {
  scopes: string[];
  installations: number;
}

/** Counts an app's active installations with a bot, by the scopes that they granted. */
export async function countGrantedScopes(queries: Queries, clientId: string): Promise<GrantedScopes[]> {
  const rows = await queries
    .selectFrom('installations')
    .select(({ fn }) => ['bot_scopes', fn.countAll<number | string | bigint>().as('count')])
    .where('client_id', '=', clientId)
    .where('status', '=', 'active')
    .where('bot_scopes', 'is not', null)
    .groupBy('bot_scopes')
    .execute();
  return rows.map((row) => ({
    scopes: JSON.parse(row.bot_scopes ?? '[]') as string[],
    installations: Number(row.count),
  }));
}
