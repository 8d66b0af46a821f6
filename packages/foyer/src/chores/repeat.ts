import type { Logger } from '../config/log.ts';

/** A chore that is done again and again. */
export interface Chore {
  /** Resolves when it is not being done, and never will be again. */
  stop(): Promise<void>;
}

/**
 * Does `work` at once, and again `everyMs` after each end. A failure is logged, and the next time comes all the same.
 * With `takeTurn` it is done only by the process that gets the turn, except at once: what a crash left behind is
 * cleaned up at the start.
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
