import type { Queries } from '../database.ts';

/** Finds at most `limit` sealed tokens of install requests, of any app, that do not begin with `prefix`. */
export async function findStaleRequestSeals(
  queries: Queries,
  search: { prefix: string; limit: number },
): Promise<{ requestId: string; sealed: string }[]> {
  const { prefix, limit } = search;
  const rows = await queries
    .selectFrom('install_requests')
    .select(['id', 'sealed_tokens'])
    .where('sealed_tokens', 'is not', null)
    .where(({ eb, fn, lit }) =>
      eb(fn<string>('substr', ['sealed_tokens', lit(1), lit(prefix.length)]), '!=', prefix),
    )
    .limit(limit)
    .execute();
  return rows.map((row) => ({ requestId: row.id, sealed: row.sealed_tokens ?? '' }));
}

/** Puts the same tokens under another seal, unless they were stored or given back meanwhile; returns whether it did. */
export async function replaceRequestSeal(
  transaction: Queries,
  replacement: { requestId: string; from: string; to: string },
): Promise<boolean> {
  const row = await transaction
    .updateTable('install_requests')
    .set({ sealed_tokens: replacement.to })
    .where('id', '=', replacement.requestId)
    .where('sealed_tokens', '=', replacement.from)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
