import type { Queries } from '../database.ts';
import type { TokenHolder } from './token-holder.ts';

/** How tokens stand for whoever wants to refresh them. */
export interface RefreshState {
  version: number;
  /** Who refreshes them now; null with a time in `refreshUntil` after a failure, when nobody should before then. */
  refreshOwner: string | null;
  refreshUntil: number | null;
}

/** Reads whether someone refreshes these tokens; undefined where they are gone. */
export async function findRefreshState(
  queries: Queries,
  holder: TokenHolder,
): Promise<RefreshState | undefined> {
  const columns = ['version', 'refresh_owner', 'refresh_until'] as const;
  const row =
    holder.userId === undefined
      ? await queries
          .selectFrom('installations')
          .select(columns)
          .where('id', '=', holder.installationId)
          .where('sealed_bot', 'is not', null)
          .executeTakeFirst()
      : await queries
          .selectFrom('user_tokens')
          .select(columns)
          .where('installation_id', '=', holder.installationId)
          .where('user_id', '=', holder.userId)
          .executeTakeFirst();
  return row && { version: row.version, refreshOwner: row.refresh_owner, refreshUntil: row.refresh_until };
}
