import type { Database, Queries, Tx } from './database.ts';
import { newId } from './new-id.ts';
import { type Given, prepareQuery } from './prepared-query.ts';
import type { HistoryKind, HistoryRow } from './records.ts';

/** A line of an installation's history; `detail` is plain text for people and holds no secret. */
export interface HistoryEntry {
  installationId: string;
  at: number;
  kind: HistoryKind;
  userId: string | null;
  detail: string | null;
}

const insertLine = prepareQuery((queries, given: Given<HistoryEntry & { id: string }>) =>
  queries.insertInto('history').values({
    id: given.id,
    installation_id: given.installationId,
    at: given.at,
    kind: given.kind,
    user_id: given.userId,
    detail: given.detail,
  }),
);

/** Adds a line to an installation's history; returns its id. */
export async function appendHistory(tx: Tx, entry: HistoryEntry): Promise<string> {
  const id = newId('his');
  await insertLine(tx, { ...entry, id });
  return id;
}

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
