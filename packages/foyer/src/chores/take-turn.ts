import type { Database } from '../database/database.ts';
import type { ChoreRow } from '../database/records.ts';

/**
 * Tries to claim a chore that several processes share. Returns true to the process that may do the chore now. For half
 * of `everyMs` after that, returns false to all processes. So if each process calls this function every `everyMs`, the
 * chore is done once or twice in that time, regardless of the number of processes. Ignores a recorded time that is in
 * the future, because it came from a wrong clock. If another process has claimed the chore, a call usually only reads
 * the database.
 * @throws DatabaseUnavailableError
 */
export async function takeTurn(
  database: Database,
  turn: { chore: string; everyMs: number; now: number },
): Promise<boolean> {
  const { chore, everyMs, now } = turn;
  const known = await readBegun(database, chore);
  if (known !== undefined && known <= now && known > now - everyMs / 2) return false;
  return begin(database, { chore, known, at: now });
}

/** How far ahead another machine's clock may be. */
const clockSlackMs = 10 * 60_000;

/**
 * Tries to claim a chore for the interval that began at `dueAt`. Returns true to only one process, and only once, even
 * if the processes' clocks differ. Ignores a recorded interval that is far in the future, because it came from a wrong
 * clock. If another process has claimed the chore, a call usually only reads the database.
 * @throws DatabaseUnavailableError
 */
export async function takeInterval(
  database: Database,
  turn: { chore: string; dueAt: number; everyMs: number; now: number; leasedUntil: number; machine: string },
): Promise<boolean> {
  const { chore, dueAt, everyMs, now, leasedUntil, machine } = turn;
  const known = await readBegun(database, chore);
  if (known !== undefined && known >= dueAt && known <= latestInterval({ everyMs, now })) return false;
  const columns = { started_at: now, leased_until: leasedUntil, machine };
  return begin(database, { chore, known, at: dueAt, columns });
}

/** The latest time at which a recorded interval can have begun. A later time came from a wrong clock. */
export function latestInterval({ everyMs, now }: { everyMs: number; now: number }): number {
  return now + Math.max(everyMs, clockSlackMs);
}

async function readBegun(database: Database, chore: string): Promise<number | undefined> {
  const row = await database.queries
    .selectFrom('chores')
    .select('begun_at')
    .where('name', '=', chore)
    .executeTakeFirst();
  return row?.begun_at;
}

/** Records the turn. Returns false if another process has taken it since `known` was read. */
async function begin(
  database: Database,
  turn: {
    chore: string;
    known: number | undefined;
    at: number;
    columns?: Pick<ChoreRow, 'started_at' | 'leased_until' | 'machine'>;
  },
): Promise<boolean> {
  const { chore, known, at, columns } = turn;
  const begun = await database.write((transaction) =>
    transaction
      .insertInto('chores')
      .values({ name: chore, begun_at: at, ...columns })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ begun_at: at, ...columns })
          .where('chores.begun_at', '=', known ?? -1),
      )
      .returning('name')
      .executeTakeFirst(),
  );
  return begun !== undefined;
}
