import { open, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * For this long after a probe begins, all checks use its result. After that, the next check starts a new probe if the
 * last probe has ended.
 */
const believedMs = 2000;
/**
 * A check waits at most `waitMs` for a running probe. After that, the check passes. If the probe has already been
 * running for longer than `silentMs` when a check is called, that check fails.
 */
const waitMs = 1000;
const silentMs = 5000;

/**
 * Creates a check that any number of callers may call at the same time. Only one `probe` runs at a time, and all checks
 * share its result until two seconds after its start. If the probe fails, the check rejects with the probe's error. If
 * the probe has been running for more than five seconds, the check rejects with an error whose message is `silent`.
 */
export function createProbe(probe: () => Promise<void>, silent: string): () => Promise<void> {
  let last: { startedAt: number; isPending: boolean; result: Promise<void> } | undefined;

  function start(): { startedAt: number; isPending: boolean; result: Promise<void> } {
    const started = { startedAt: performance.now(), isPending: true, result: probe() };
    const settle = (): void => {
      started.isPending = false;
    };
    // Callers get the probe's error; without a handler here, an error that no caller awaits would end the process.
    started.result.then(settle, settle);
    return started;
  }

  return async function check() {
    const age = last ? performance.now() - last.startedAt : Infinity;
    if (!last || (!last.isPending && age > believedMs)) last = start();
    else if (last.isPending && age > silentMs) throw new Error(silent);
    await Promise.race([last.result, sleep(waitMs, undefined, { ref: false })]);
  };
}

/** How much a probe writes: more than most commits do. A disk with less free space than this counts as full. */
const probeBytes = 256 * 1024;

/**
 * Creates a check of whether Foyer can write to the disk that holds `file`: it writes a quarter of a megabyte and syncs
 * it. The check unlinks its probe file before it writes, so no probe file remains even if the process crashes. The
 * check rejects if the file system reports an error, or if a probe has been running for more than five seconds.
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
