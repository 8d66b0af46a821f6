import type { Queries } from '../database.ts';

/** Lists the ids of everybody whose own token an installation holds. */
export async function listTokenHolders(queries: Queries, installationId: string): Promise<string[]> {
  const rows = await queries
    .selectFrom('user_tokens')
    .select('user_id')
    .where('installation_id', '=', installationId)
    .orderBy('user_id')
    .execute();
  return rows.map((row) => row.user_id);
}
