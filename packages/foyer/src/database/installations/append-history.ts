import type { Queries } from '../database.ts';
import { newId } from '../new-id.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { HistoryKind } from '../records.ts';

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
export async function appendHistory(transaction: Queries, entry: HistoryEntry): Promise<string> {
  const id = newId('his');
  await insertLine(transaction, { ...entry, id });
  return id;
}
