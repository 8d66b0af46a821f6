import type { Queries } from '../database.ts';

/** Whether the session was ended before its time, by whichever process. */
export async function isOperatorSessionEnded(queries: Queries, id: string): Promise<boolean> {
  const row = await queries.selectFrom('ended_sessions').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}
