import type { Queries } from '../database.ts';

/** How much is stored of one installation beside its own row. */
export interface InstallationRowCounts {
  userTokens: number;
  runs: number;
  history: number;
}

/** Counts what is stored of an installation. */
export async function countInstallationRows(
  queries: Queries,
  installationId: string,
): Promise<InstallationRowCounts> {
  const count = async (table: 'user_tokens' | 'runs' | 'history'): Promise<number> => {
    const { rows } = await queries
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number | string | bigint>().as('rows'))
      .where('installation_id', '=', installationId)
      .executeTakeFirstOrThrow();
    return Number(rows);
  };
  return {
    userTokens: await count('user_tokens'),
    runs: await count('runs'),
    history: await count('history'),
  };
}
