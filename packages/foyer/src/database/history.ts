import type { Expression } from 'kysely';
import type { Database, Queries, Tx } from './database.ts';
import { newId } from './new-id.ts';
import type { HistoryKind } from './records.ts';

/** One line of history. `detail` is plain text for people and contains no secret. */
export interface HistoryRecord {
  at: number;
  kind: HistoryKind;
  userId: string | null;
  detail: string | null;
}

/** Adds a line to an installation's history; returns the line's id. */
export async function appendHistory(
  tx: Tx,
  { installationId, at, kind, userId, detail }: HistoryRecord & { installationId: string },
): Promise<string> {
  const id = newId('his');
  await tx
    .insertInto('history')
    .values({ id, installation_id: installationId, at, kind, user_id: userId, detail })
    .execute();
  return id;
}

const newestOf = (
  queries: Queries,
  given: { installationId: string | Expression<string>; limit: number | Expression<number> },
) =>
  queries
    .selectFrom('history')
    .select(['at', 'kind', 'user_id as userId', 'detail'])
    .where('installation_id', '=', given.installationId)
    .orderBy('id', 'desc')
    .limit(given.limit);

/** Reads an installation's history, newest first. */
export async function readHistory(
  queries: Queries,
  installationId: string,
  limit: number,
): Promise<HistoryRecord[]> {
  return newestOf(queries, { installationId, limit }).execute();
}

/** `readHistory` as a prepared read, which sees only what is committed. */
export function prepareHistory(
  database: Pick<Database, 'prepareList'>,
): (installationId: string, limit: number) => Promise<HistoryRecord[]> {
  const readLines = database.prepareList(newestOf);
  return (installationId, limit) => readLines({ installationId, limit });
}
