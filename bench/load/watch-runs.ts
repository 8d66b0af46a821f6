import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';

/** Watches Foyer's runs from another process, so that watching costs Foyer nothing. */
export interface RunWatch {
  /**
   * Waits until `count` more runs have ended. Resolves to the time when the first of them began and the time when the
   * last of them ended. Rejects if any of them did not succeed.
   */
  ended(count: number): Promise<{ startedAt: number; finishedAt: number }>;
  close(): void;
}

/** Watches the runs of a SQLite database. */
export function watchRuns(file: string): RunWatch {
  const sqlite = new Sqlite(file, { readonly: true });
  // Ignores runs that are due in more than an hour, and runs that wait for an event.
  const left = sqlite.prepare<[number]>('select 1 from runs where due_at < ? limit 1').pluck();
  const times = sqlite.prepare<
    [string, number],
    { startedAt: number; finishedAt: number; count: number; good: number }
  >(
    `select min(started_at) as startedAt, max(finished_at) as finishedAt, count(*) as count,
       sum(status = 'succeeded') as good
     from (select * from runs where id > ? and status != 'waiting' order by id limit ?)`,
  );
  const newest = sqlite.prepare("select max(id) from runs where status != 'waiting'").pluck();
  let known = String(newest.get() ?? '');
  return {
    async ended(count) {
      for (;;) {
        if (left.get(Date.now() + 60 * 60_000) === undefined) {
          const found = times.get(known, count);
          if (found && found.count >= count) {
            if (found.good < count) throw new Error(`${count - found.good} runs did not succeed`);
            known = String(newest.get() ?? '');
            return found;
          }
        }
        await sleep(20);
      }
    },
    close: () => sqlite.close(),
  };
}
