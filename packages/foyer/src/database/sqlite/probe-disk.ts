import { open, unlink } from 'node:fs/promises';
import { createProbe } from '../probe.ts';

/** More than most commits write: a disk with less space left counts as full. */
const probeBytes = 256 * 1024;

/**
 * Creates the check that the disk of a file can be written: it writes a quarter of a megabyte and syncs it. The probe
 * file is unlinked before anything is written, so that it is gone however its process ends. The check rejects with the
 * file system's errors, and if the disk does not answer within five seconds.
 */
export function createDiskProbe(file: string): () => Promise<void> {
  const name = `${file}.probe-${process.pid}`;
  return createProbe(async () => {
    const handle = await open(name, 'w', 0o600);
    try {
      await unlink(name);
      await handle.write(Buffer.alloc(probeBytes, 1));
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }, 'the disk does not answer');
}
