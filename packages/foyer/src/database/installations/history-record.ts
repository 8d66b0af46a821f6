import type { Database, Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { HistoryKind, HistoryRow } from '../records.ts';

/** One line of history. */
export interface HistoryRecord {
  at: number;
  kind: HistoryKind;
  userId: string | null;
  detail: string | null;
}

const newestOf = (queries: Queries, given: Given<{ installationId: string; limit: number }>) =>
  queries
    .selectFrom('history')
    .select(['at', 'kind', 'user_id', 'detail'])
    .where('installation_id', '=', given.installationId)
    .orderBy('id', 'desc')
    .limit(given.limit);

type Line = Pick<HistoryRow, 'at' | 'kind' | 'user_id' | 'detail'>;

function toRecord({ user_id, ...line }: Line): HistoryRecord {
  return { ...line, userId: user_id };
}

const readNewest = prepareQuery(newestOf);

/** Reads an installation's history, newest first. */
export async function readHistory(
  queries: Queries,
  installationId: string,
  limit: number,
): Promise<HistoryRecord[]> {
  const { rows } = await readNewest(queries, { installationId, limit });
  return rows.map(toRecord);
}

/** `readHistory`, prepared, of what is committed alone. */
export function prepareHistory(
  database: Pick<Database, 'prepareList'>,
): (installationId: string, limit: number) => Promise<HistoryRecord[]> {
  const readLines = database.prepareList(newestOf);
  return async (installationId, limit) => (await readLines({ installationId, limit })).map(toRecord);
}
