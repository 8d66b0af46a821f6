/**
 * The part of a contender that runs in the child process. Each contender has its own process, so that it shares no
 * memory or compiled code with another. The process reports its port and answers the bench's questions. It exits
 * cleanly, because Node writes a CPU profile only then.
 */

/** The CPU time that a process has used so far, and the memory that it holds now. */
export interface Usage {
  /** The CPU time of all threads of the process, in user mode and in the kernel together, in milliseconds. */
  cpuMs: number;
  rssBytes: number;
  heapBytes: number;
}

/** Answers one question that the bench sends, such as `usage`. The answer goes back to the bench as JSON. */
export type Answer = (argument: unknown) => unknown;

/** Reports the port to the bench that forked this process, and then answers the bench's questions. */
export function present(contender: {
  /** The port of the contender's server; 0 if the contender has no server. */
  port: number;
  answers?: Readonly<Record<string, Answer>>;
  stop(): unknown;
}): void {
  const answers: Record<string, Answer> = {
    usage: (collect) => usage(collect === true),
    ...contender.answers,
  };
  process.on('message', async (message: { id: number; ask: string; argument: unknown }) => {
    const { id, ask, argument } = message;
    try {
      if (ask === 'stop') {
        await contender.stop();
        process.send?.({ id }, () => process.exit(0));
        return;
      }
      const answer = answers[ask];
      if (!answer) throw new Error(`nothing answers ${ask}`);
      process.send?.({ id, answer: await answer(argument) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  // If the bench is gone, this process has no purpose.
  process.once('disconnect', () => process.exit(1));
  process.send?.({ port: contender.port });
}

/** With `collect`, collects garbage before it measures, so that `heapBytes` counts only live objects. */
function usage(collect: boolean): Usage {
  if (collect) {
    globalThis.gc?.();
    globalThis.gc?.();
  }
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed };
}

/** Counts finished pieces of work. A caller can wait until a given number of them have finished. */
export function createCounter(): { note(): void; settled: Answer } {
  let ended = 0;
  let waiting: { count: number; resolve(): void } | undefined;
  return {
    note() {
      ended += 1;
      if (waiting && ended >= waiting.count) {
        waiting.resolve();
        waiting = undefined;
      }
    },
    /**
     * Resolves once `count` more pieces of work have finished. Each call begins to count where the previous call ended.
     */
    settled(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = {
        count: Number(count),
        resolve() {
          ended -= Number(count);
          resolve();
        },
      };
      if (ended >= waiting.count) {
        waiting.resolve();
        waiting = undefined;
      }
      return promise;
    },
  };
}
