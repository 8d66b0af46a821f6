import type { Queries } from '../database.ts';
import { newId } from '../new-id.ts';
import type { HistoryKind } from '../records.ts';

/** A line of an installation's history; `detail` is plain text for people and holds no secret. */
export interface HistoryEntry {
  installationId: string;
  at: number;
  kind: HistoryKind;
  userId: string | null;
  detail: string | null;
}

/** Adds a line to an installation's history; returns its id. */
export async function appendHistory(transaction: Queries, entry: HistoryEntry): Promise<string> {
  const { installationId: installation_id, at, kind, userId: user_id, detail } = entry;
  const id = newId('his');
  await transaction
    .insertInto('history')
    .values({ id, installation_id, at, kind, user_id, detail })
    .execute();
  return id;
}
