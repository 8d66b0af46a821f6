import { open } from 'node:fs/promises';
import { setImmediate as endOfTurn, setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { DatabaseUnavailableError, type Tx } from '../database.ts';

/**
 * Why writes share commits: each commit waits for the disk (0.3 ms, ten on a slow one), which is most of what a short
 * write costs. Those that are asked for while it waits, or within one turn of the event loop, go into one transaction
 * together, each in a savepoint of its own: one that fails takes none of the others with it, and each hears that it is
 * written once the commit has reached the disk. Sixteen installs at once made 20 commits each before, and 2 since. A
 * write that comes alone is a transaction of its own.
 */

type Work = (transaction: Tx) => Promise<unknown>;

interface Waiting {
  work: Work;
  /** On the clock of `performance.now()`. */
  giveUpAt: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** So many at most, since reads wait behind them: a moment's writes of the runs that a worker works at once. */
const mostTogether = 32;
const retryDelayMs = 25;

// Made once, since each write takes two of them.
const setSavepoint = CompiledQuery.raw('savepoint one');
const undoToSavepoint = CompiledQuery.raw('rollback to one');
const releaseSavepoint = CompiledQuery.raw('release one');

/** Makes the one way to write. */
export function createCommits(deps: {
  /** Runs its work in one transaction, and resolves when that has reached the disk. */
  transact<T>(work: (transaction: Tx) => Promise<T>): Promise<T>;
  /** Whether a transaction failed only because somebody else was writing. */
  isLocked(error: unknown): boolean;
}): <T>(work: (transaction: Tx) => Promise<T>, patienceMs: number) => Promise<T> {
  const waiting: Waiting[] = [];
  let isWriting = false;

  async function writeAll(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      await endOfTurn();
      const group = waiting.splice(0, mostTogether);
      const left = await commit(group);
      waiting.unshift(...left);
      if (left.length > 0) await sleep(retryDelayMs * (0.5 + Math.random()));
    }
    isWriting = false;
  }

  /** Ends each of a group; returns those that are to be tried again, since somebody else was writing. */
  async function commit(group: readonly Waiting[]): Promise<Waiting[]> {
    const [first] = group;
    try {
      if (group.length === 1 && first) first.resolve(await deps.transact(first.work));
      else for (const end of await deps.transact((transaction) => inTurn(transaction, group))) end();
      return [];
    } catch (error) {
      const now = performance.now();
      const isPatient = ({ giveUpAt }: Waiting): boolean => deps.isLocked(error) && now <= giveUpAt;
      for (const each of group) if (!isPatient(each)) each.reject(error);
      return group.filter(isPatient);
    }
  }

  return <T>(work: (transaction: Tx) => Promise<T>, patienceMs: number) =>
    new Promise<T>((resolve, reject) => {
      const giveUpAt = performance.now() + patienceMs;
      waiting.push({ work, giveUpAt, resolve: resolve as (value: unknown) => void, reject });
      if (!isWriting) void writeAll();
    });
}

/** Does the work of each; returns what is to be told to each once all of it is committed. */
async function inTurn(transaction: Tx, group: readonly Waiting[]): Promise<(() => void)[]> {
  const ends: (() => void)[] = [];
  for (const { work, resolve, reject } of group) {
    await transaction.executeQuery(setSavepoint);
    try {
      const value = await work(transaction);
      ends.push(() => resolve(value));
    } catch (error) {
      await transaction.executeQuery(undoToSavepoint);
      ends.push(() => reject(error));
    }
    await transaction.executeQuery(releaseSavepoint);
  }
  return ends;
}

/**
 * Waits for the disk in SQLite's place. With `synchronous = FULL` each commit ends with a sync of the write-ahead log, for
 * which SQLite stops the whole process: 0.3 ms here, ten and more on a slow disk, in which no request is answered. With
 * NORMAL it writes the same log in the same order, syncs it before each checkpoint as before, and leaves out that one
 * wait (sqlite.org/pragma.html#pragma_synchronous). Here it takes place beside the event loop, and a write is told to be
 * done after it: what was promised is on the disk, as with FULL. Under load an install costs a tenth less CPU, since more
 * writes share a commit meanwhile.
 */
export interface LogOnDisk {
  /** Resolves when all that is committed has reached the disk. @throws DatabaseUnavailableError; then write no more */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the log of a SQLite database that is open already, in WAL mode. It stays the same file until that is closed. */
export async function openLogOnDisk(file: string): Promise<LogOnDisk> {
  const log = await open(`${file}-wal`, 'r+');
  return {
    async sync() {
      try {
        await log.datasync();
      } catch (cause) {
        // A kernel reports a failed write once, and may have dropped it: a later sync that succeeds means nothing.
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new DatabaseUnavailableError(
          `The database ${file} could not be written to the disk: ${reason}. Check the disk, and start again.`,
          { cause, mayBeCommitted: true },
        );
      }
    },
    // Waits for a sync that is under way.
    close: () => log.close(),
  };
}
