import type { Logger } from '../config/log.ts';

export interface Chore {
  /** Ends the chore. Resolves when it is no longer running and will not run again. */
  stop(): Promise<void>;
}

/**
 * Runs `work` immediately, then again `everyMs` after each run ends. A failure is logged and does not end the chore.
 * With `takeTurn`, every run except the first needs the turn, which only one process gets. The first run needs no turn,
 * because it cleans up what a crash left behind.
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
