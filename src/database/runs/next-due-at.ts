import type { Queries } from '../database.ts';

/** When the next run falls due (it may be in the past), or undefined when none will. */
export async function nextDueAt(queries: Queries, except: readonly string[]): Promise<number | undefined> {
  let query = queries.selectFrom('runs').select('due_at').where('due_at', 'is not', null);
  if (except.length > 0) query = query.where('id', 'not in', except);
  const next = await query.orderBy('due_at').limit(1).executeTakeFirst();
  return next?.due_at ?? undefined;
}
