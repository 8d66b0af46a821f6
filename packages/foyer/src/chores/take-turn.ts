import type { Database } from '../database/database.ts';

/**
 * Takes the turn to do a chore that several processes remember: true for one of them, and for nobody again before half
 * of `everyMs` has passed. So each looks every `everyMs`, and it is done at least once in that time and at most twice,
 * however many they are. A turn that another clock put into the future does not count. Looks before it writes.
 * @throws DatabaseUnavailableError
 */
export async function takeTurn(
  database: Database,
  turn: { chore: string; everyMs: number; now: number },
): Promise<boolean> {
  const { chore, everyMs, now } = turn;
  const isTaken = (begunAt: number): boolean => begunAt <= now && begunAt > now - everyMs / 2;
  const known = await database.queries
    .selectFrom('chores')
    .select('begun_at')
    .where('name', '=', chore)
    .executeTakeFirst();
  if (known && isTaken(known.begun_at)) return false;
  const taken = await database.write((transaction) =>
    transaction
      .insertInto('chores')
      .values({ name: chore, begun_at: now })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ begun_at: now })
          // Nobody else has taken it since we looked.
          .where('chores.begun_at', '=', known?.begun_at ?? -1),
      )
      .returning('name')
      .executeTakeFirst(),
  );
  return taken !== undefined;
}
