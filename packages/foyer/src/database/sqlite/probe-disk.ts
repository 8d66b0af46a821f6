import { open, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** More than most commits write: a disk with less left is full. */
const probeBytes = 256 * 1024;
/** A probe that is younger is believed, so that asking often costs nothing. */
const believedMs = 2000;
/** How long one who asks waits for a probe; and from when on a disk that does not answer counts as failed. */
const waitMs = 1000;
const silentMs = 5000;

/**
 * Makes the check that the disk beside a file can be written: it writes a quarter of a megabyte and syncs it. The probe
 * loses its name before anything is written, so that it is gone whenever its process ends. It rejects with the file
 * system's errors, and if the disk does not answer within five seconds.
 */
export function createDiskProbe(file: string): () => Promise<void> {
  const name = `${file}.probe-${process.pid}`;
  let last: { startedAt: number; isPending: boolean; result: Promise<void> } | undefined;

  async function probe(): Promise<void> {
    const handle = await open(name, 'w', 0o600);
    try {
      await unlink(name);
      await handle.write(Buffer.alloc(probeBytes, 1));
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  function start(): { startedAt: number; isPending: boolean; result: Promise<void> } {
    const started = { startedAt: performance.now(), isPending: true, result: probe() };
    const settle = (): void => {
      started.isPending = false;
    };
    // Its error belongs to those who ask; one that no one awaits would end the process.
    started.result.then(settle, settle);
    return started;
  }

  return async function probeDisk() {
    const age = last ? performance.now() - last.startedAt : Infinity;
    if (!last || (!last.isPending && age > believedMs)) last = start();
    else if (last.isPending && age > silentMs) throw new Error('the disk does not answer');
    await Promise.race([last.result, sleep(waitMs, undefined, { ref: false })]);
  };
}
