import type { Database } from '../database.ts';

/**
 * Prepares the question when the next run falls due: it answers with a time, which may be in the past, or undefined
 * when none will. A run that is being worked on falls due when its lease ends.
 */
export function prepareNextDueAt(database: Database): () => Promise<number | undefined> {
  const ask = database.prepare((queries) =>
    queries.selectFrom('runs').select('due_at').where('due_at', 'is not', null).orderBy('due_at').limit(1),
  );
  return async () => (await ask({}))?.due_at ?? undefined;
}
