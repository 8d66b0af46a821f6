import type { Expression } from 'kysely';
import type { Database, Queries, Tx } from './database.ts';
import { newId } from './new-id.ts';
import type { HistoryKind, HistoryRow } from './records.ts';

/** A line of an installation's history; `detail` is plain text for people and holds no secret. */
interface HistoryEntry {
  installationId: string;
  at: number;
  kind: HistoryKind;
  userId: string | null;
  detail: string | null;
}

/** Adds a line to an installation's history; returns its id. */
export async function appendHistory(tx: Tx, entry: HistoryEntry): Promise<string> {
  const id = newId('his');
  const { installationId, at, kind, userId, detail } = entry;
  await tx
    .insertInto('history')
    .values({ id, installation_id: installationId, at, kind, user_id: userId, detail })
    .execute();
  return id;
}

/** One line of history. */
export interface HistoryRecord {
  at: number;
  kind: HistoryKind;
  userId: string | null;
  detail: string | null;
}

const newestOf = (
  queries: Queries,
  given: { installationId: string | Expression<string>; limit: number | Expression<number> },
) =>
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

/** Reads an installation's history, newest first. */
export async function readHistory(
  queries: Queries,
  installationId: string,
  limit: number,
): Promise<HistoryRecord[]> {
  return (await newestOf(queries, { installationId, limit }).execute()).map(toRecord);
}

/** `readHistory` as a prepared read, which sees only what is committed. */
export function prepareHistory(
  database: Pick<Database, 'prepareList'>,
): (installationId: string, limit: number) => Promise<HistoryRecord[]> {
  const readLines = database.prepareList(newestOf);
  return async (installationId, limit) => (await readLines({ installationId, limit })).map(toRecord);
}
