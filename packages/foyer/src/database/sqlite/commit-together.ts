import { open } from 'node:fs/promises';
import { setImmediate as endOfTurn, setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { DatabaseUnavailableError, type Tx } from '../database.ts';

/**
 * Why writes share commits: each commit waits for the disk (0.3 ms, or 10 ms on a slow disk), and this wait is most of
 * the cost of a short write. Writes that arrive during the wait, or within one turn of the event loop, share one
 * transaction. When sixteen installs run at the same time, each takes 2 commits; without sharing, each took 20.
 *
 * Each write has its own savepoint, so a write that fails does not undo the others. A write resolves when the commit
 * has reached the disk. A write that arrives alone has its own transaction.
 */

type Work = (transaction: Tx) => Promise<unknown>;

interface Waiting {
  work: Work;
  /** When to stop retrying this write, on the clock of `performance.now()`. */
  giveUpAt: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * The most writes in one commit: about as many as one worker's runs request at the same time. Why a limit: reads wait
 * for the commit.
 */
const mostTogether = 32;
const retryDelayMs = 25;

// These statements are compiled once, since each write that shares a commit runs at least two of them.
const setSavepoint = CompiledQuery.raw('savepoint one');
const undoToSavepoint = CompiledQuery.raw('rollback to one');
const releaseSavepoint = CompiledQuery.raw('release one');

/** Creates the function that performs every write to the database. */
export function createCommits(deps: {
  /** Runs the work in one transaction, and resolves when the commit has reached the disk. */
  transact<T>(work: (transaction: Tx) => Promise<T>): Promise<T>;
  /** Whether a transaction failed only because another process was writing. */
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

  /**
   * Commits a group, and resolves or rejects each of its writes. Exception: if the commit failed because another
   * process was writing, returns the writes whose time limit (`giveUpAt`) has not passed. The caller retries these.
   */
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

/**
 * Runs each write in a savepoint. Returns the functions that resolve or reject the writes; call them after the commit.
 */
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
 * Syncs the write-ahead log to the disk, so that SQLite need not sync it at each commit. With `synchronous = FULL`,
 * SQLite syncs the log at each commit, which blocks the whole process for 0.3 ms, or for 10 ms and more on a slow disk.
 * With NORMAL, SQLite writes the same log in the same order and still syncs it before each checkpoint, but not at each
 * commit (sqlite.org/pragma.html#pragma_synchronous). Foyer makes up for that: it syncs the log outside the event loop,
 * and a write resolves only after the sync. So a resolved write is on the disk, as with FULL. Under load, an install
 * takes 10 % less CPU, since more writes share a commit.
 */
export interface LogOnDisk {
  /**
   * Resolves when every commit has reached the disk.
   * @throws DatabaseUnavailableError, after which the caller must write nothing more
   */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the log of an open SQLite database in WAL mode. The log stays the same file until the database is closed. */
export async function openLogOnDisk(file: string): Promise<LogOnDisk> {
  const log = await open(`${file}-wal`, 'r+');
  return {
    async sync() {
      try {
        await log.datasync();
      } catch (cause) {
        // A kernel reports a failed write once, and may then drop the data: a later sync that succeeds proves nothing.
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new DatabaseUnavailableError(
          `The database ${file} could not be written to the disk: ${reason}. Check the disk, and start again.`,
          { cause, mayBeCommitted: true },
        );
      }
    },
    // `close` waits for a sync that is in progress.
    close: () => log.close(),
  };
}
