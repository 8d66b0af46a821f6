import type { Logger } from '../config/log.ts';

export interface Chore {
  /** Ends the chore. Resolves when it is no longer running and will not run again. */
  stop(): Promise<void>;
}

/**
 * Runs `work` immediately. Each time `work` ends, waits for `everyMs` and runs `work` again. If `work` fails, logs the
 * error and continues.
 *
 * If several processes share the chore, `takeTurn` returns true in only one of them, and the others skip that run. Each
 * process does its first run regardless of `takeTurn`, because that run cleans up what a crash left behind.
 */
export function repeat(chore: {
  everyMs: number;
  what: string;
  takeTurn?(chore: { chore: string; everyMs: number }): Promise<boolean>;
  work(): Promise<unknown>;
  log: Logger;
}): Chore {
  let stopped = false;
  let isFirst = true;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function workInTurn(): Promise<void> {
    const { what, everyMs, takeTurn } = chore;
    try {
      const isOurTurn = !takeTurn || (await takeTurn({ chore: what, everyMs }));
      if (isOurTurn || isFirst) await chore.work();
    } catch (error) {
      chore.log.error({ err: error }, `could not ${what}`);
    }
    isFirst = false;
  }

  function run(): void {
    running = workInTurn().then(() => {
      if (!stopped) timer = setTimeout(run, chore.everyMs).unref();
    });
  }

  run();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
