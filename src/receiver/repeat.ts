import type { Logger } from '../log.ts';

/** A chore that is done again and again. */
export interface Chore {
  /** Resolves when it is not being done, and never will be again. */
  stop(): Promise<void>;
}

/** Does `work` at once, and again `everyMs` after each end. A failure is logged, and the next time comes all the same. */
export function repeat(chore: {
  everyMs: number;
  what: string;
  work(): Promise<unknown>;
  log: Logger;
}): Chore {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  function run(): void {
    running = chore
      .work()
      .then(
        () => {},
        (error) => chore.log.error({ err: error }, `could not ${chore.what}`),
      )
      .then(() => {
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
