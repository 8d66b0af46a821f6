import type { Queries, Tx } from './database.ts';

/** The name of the backup's row in the table of chores. */
const name = 'backup';

/** Records that a verified backup was made, so that `/metrics` can report the age of the newest backup. */
export const recordBackup = (tx: Tx, now: number): Promise<void> => recordChore(tx, name, now);

/** Records that a chore was done at `now`. Only for chores that need no lease: any process may do them at any time. */
export async function recordChore(tx: Tx, name: string, now: number): Promise<void> {
  await tx
    .insertInto('chores')
    .values({ name, begun_at: now })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ begun_at: now }))
    .execute();
}

/** When the newest backup was made; undefined if there is none. */
export async function lastBackupAt(queries: Queries): Promise<number | undefined> {
  const row = await queries
    .selectFrom('chores')
    .select('begun_at')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.begun_at;
}
