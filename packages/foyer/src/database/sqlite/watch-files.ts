import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { DatabaseUnavailableError } from '../database.ts';

/**
 * Why watch: a file that was removed, replaced or cut short still works for the process that has it open, and everything
 * written to it is lost when that process ends. So each commit looks before it begins and before it is acknowledged, and
 * once a second someone looks in any case.
 */
export interface FileWatch {
  /** @throws DatabaseUnavailableError if one of the files is not the one that was opened, or the log was cut short */
  assertInPlace(): void;
  /** Whether the log has only lost its name: all of it can still be read by those who have it open. */
  isLogUnlinked(): boolean;
  close(): void;
}

/** Where the log's index (`-shm`) says how far the log goes (sqlite.org/walformat.html, WAL-index header). */
const index = { bytes: 48, change: 8, pageSize: 14, lastFrame: 16 } as const;
const logHeaderBytes = 32;
const frameHeaderBytes = 24;

/** Watches a SQLite database that is open in WAL mode, with its log and the log's index. */
export function watchFiles(file: string): FileWatch {
  const names = [file, `${file}-wal`, `${file}-shm`] as const;
  const opened = names.map((name) => statSync(name));
  const indexHandle = openSync(`${file}-shm`, 'r');
  const header = Buffer.alloc(index.bytes);

  function lost(name: string, what: string): DatabaseUnavailableError {
    return new DatabaseUnavailableError(
      `The file ${name} was ${what} while Foyer had it open. Foyer stops, since what it writes now would be lost; a ` +
        'restart opens the database again. Find what touches that file (a backup, a clean-up job, another container): ' +
        'only Foyer may, and `npm run foyer -- backup FILE` makes copies. If the database itself is gone, put it or ' +
        'its newest backup back first.',
    );
  }

  function isSame(name: string, at: number): Stats {
    const found = statSync(name, { throwIfNoEntry: false });
    if (!found) throw lost(name, 'removed');
    if (found.ino !== opened[at]?.ino || found.dev !== opened[at]?.dev) throw lost(name, 'replaced');
    return found;
  }

  /** How long the log has to be, and a number that is another one after each change of it. */
  function readIndex(): { bytes: number; change: number } {
    readSync(indexHandle, header, 0, index.bytes, 0);
    const word = (at: number): number =>
      (header[at] ?? 0) +
      (header[at + 1] ?? 0) * 256 +
      (header[at + 2] ?? 0) * 65_536 +
      (header[at + 3] ?? 0) * 16_777_216;
    const size = (header[index.pageSize] ?? 0) + (header[index.pageSize + 1] ?? 0) * 256;
    // SQLite writes 1 for 65,536, and the index in the byte order of the machine: little-endian wherever Node 22 runs but s390x.
    const pageBytes = size === 1 ? 65_536 : size;
    const lastFrame = word(index.lastFrame);
    const bytes = lastFrame === 0 ? 0 : logHeaderBytes + lastFrame * (frameHeaderBytes + pageBytes);
    return { bytes, change: word(index.change) };
  }

  return {
    assertInPlace() {
      isSame(names[0], 0);
      isSame(names[2], 2);
      for (;;) {
        const before = readIndex();
        const { size } = isSame(names[1], 1);
        if (size >= before.bytes) return;
        // Another process may have emptied the log in between, as a checkpoint does: then its index has changed too.
        if (readIndex().change === before.change) throw lost(names[1], 'cut short');
      }
    },
    isLogUnlinked() {
      const isThere = (name: string): boolean => statSync(name, { throwIfNoEntry: false }) !== undefined;
      const database = statSync(names[0], { throwIfNoEntry: false });
      return database?.ino === opened[0]?.ino && isThere(names[2]) && !isThere(names[1]);
    },
    close: () => closeSync(indexHandle),
  };
}
