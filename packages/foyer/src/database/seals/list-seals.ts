import type { Queries } from '../database.ts';
import type { TokenHolder } from '../tokens/token-holder.ts';

/** A token as it lies in the database, and whose it is. */
export interface StoredSeal {
  holder: TokenHolder;
  sealed: string;
}

/** Lists the sealed tokens of bots, of any app, in the order of their installations: at most `limit` behind `after`. */
export async function listBotSeals(
  queries: Queries,
  page: { after?: TokenHolder; limit: number },
): Promise<StoredSeal[]> {
  const rows = await queries
    .selectFrom('installations')
    .select(['id', 'sealed_bot'])
    .where('sealed_bot', 'is not', null)
    .where('id', '>', page.after?.installationId ?? '')
    .orderBy('id')
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({ holder: { installationId: row.id }, sealed: row.sealed_bot ?? '' }));
}

/** Lists the sealed tokens of people, of any app, in the order of installations and people. */
export async function listUserSeals(
  queries: Queries,
  page: { after?: TokenHolder; limit: number },
): Promise<StoredSeal[]> {
  const { installationId = '', userId = '' } = page.after ?? {};
  const rows = await queries
    .selectFrom('user_tokens')
    .select(['installation_id', 'user_id', 'sealed_user'])
    .where((eb) => eb(eb.refTuple('installation_id', 'user_id'), '>', eb.tuple(installationId, userId)))
    .orderBy('installation_id')
    .orderBy('user_id')
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({
    holder: { installationId: row.installation_id, userId: row.user_id },
    sealed: row.sealed_user,
  }));
}
