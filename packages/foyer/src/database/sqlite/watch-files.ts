import { type Stats, statSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { DatabaseUnavailableError } from '../database.ts';

/**
 * Why watch: a file that was removed, replaced or cut short still works for the process that has it open, and
 * everything written to it is lost when that process ends. So each commit checks before it begins and before it is
 * acknowledged, and a timer checks once a second.
 *
 * Why no file is opened here: a process that closes a file loses every lock that it holds on it, SQLite's too (man 2
 * fcntl). Another process would then believe that it is the only one.
 */
export interface FileWatch {
  /** @throws DatabaseUnavailableError if one of the files is not the one that was opened, or the log was cut short */
  assertInPlace(): void;
  /** Whether the log has only lost its name: processes that have it open can still read all of it. */
  isLogUnlinked(): boolean;
}

const logHeaderBytes = 32;
const frameHeaderBytes = 24;

/** Watches an open SQLite database in WAL mode, with its log and the log's index; `reader` is a connection to it. */
export function watchFiles(file: string, reader: Sqlite.Database): FileWatch {
  const names = [file, `${file}-wal`, `${file}-shm`] as const;
  const opened = names.map((name) => statSync(name));
  const frameBytes = frameHeaderBytes + Number(reader.pragma('page_size', { simple: true }));
  // Only reports how many frames the log has, in 4 µs (sqlite.org/pragma.html#pragma_wal_checkpoint).
  const askLog = reader.prepare<[], { log: number }>('pragma wal_checkpoint(NOOP)');
  function framesInLog(): number {
    try {
      return askLog.get()?.log ?? 0;
    } catch {
      // A damaged or locked database is reported by the code that reads and writes it.
      return 0;
    }
  }

  function lost(name: string, what: string): DatabaseUnavailableError {
    return new DatabaseUnavailableError(
      `The file ${name} was ${what} while Foyer had it open. Foyer stops, since what it writes now would be lost; a ` +
        'restart opens the database again. Find what touches that file (a backup, a clean-up job, another container): ' +
        'only Foyer may, and `npm run foyer -- backup FILE` makes copies. If the database itself is gone, put it or ' +
        'its newest backup back first.',
    );
  }

  function found(at: 0 | 1 | 2): Stats {
    const now = statSync(names[at], { throwIfNoEntry: false });
    if (!now) throw lost(names[at], 'removed');
    if (now.ino !== opened[at]?.ino || now.dev !== opened[at]?.dev) throw lost(names[at], 'replaced');
    return now;
  }

  return {
    assertInPlace() {
      found(0);
      found(2);
      for (;;) {
        const frames = framesInLog();
        const { size } = found(1);
        if (frames === 0 || size >= logHeaderBytes + frames * frameBytes) return;
        // Another process may have emptied the log in between, as a checkpoint does: then it has fewer frames too.
        if (framesInLog() === frames) throw lost(names[1], 'cut short');
      }
    },
    isLogUnlinked() {
      const isThere = (name: string): boolean => statSync(name, { throwIfNoEntry: false }) !== undefined;
      const database = statSync(names[0], { throwIfNoEntry: false });
      return database?.ino === opened[0]?.ino && isThere(names[2]) && !isThere(names[1]);
    },
  };
}
