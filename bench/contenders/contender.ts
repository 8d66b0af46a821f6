/**
 * The child's side of a contender: a process of its own, so that neither memory nor compiled code mixes with another's.
 * It says where it listens, answers what the bench asks, and ends in order, which is what writes a CPU profile.
 */

/** What a process has used so far, and holds now. */
export interface Usage {
  /** User and system time of all its threads, in milliseconds. */
  cpuMs: number;
  rssBytes: number;
  heapBytes: number;
}

/** One question of the bench, by name; what it returns goes back as JSON. */
export type Answer = (argument: unknown) => unknown;

/** Presents this process to the bench that forked it. */
export function present(contender: {
  /** Where it listens; 0 for one that is only asked. */
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
  // Without the bench there is nobody to answer.
  process.once('disconnect', () => process.exit(1));
  process.send?.({ port: contender.port });
}

/** `collect` runs the collector first, so that the heap holds what is kept and nothing else. */
function usage(collect: boolean): Usage {
  if (collect) {
    globalThis.gc?.();
    globalThis.gc?.();
  }
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed };
}

/** Counts what has ended, and tells who waits once that is enough. */
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
    /** Resolves once `count` more have ended than when it was asked for the last time. */
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
