type Task = { atMs: number; run: () => Promise<void> | void };

/** The longest delay of a Node timer. To wait longer for a task, the clock sets several timers, one after another. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The sandbox's own time. It follows real time until a test or the panel moves it: `readNow` plus an offset that `set`
 * and `advance` change.
 *
 * Why: tests must not wait a minute for a retry, ten minutes until a code expires, or twelve hours until a token does.
 */
export function createClock({ readNow = Date.now }: { readNow?: () => number } = {}) {
  let offsetMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const tasks = new Set<Task>();
  /** The sandbox's time, in milliseconds since the epoch. */
  const now = (): number => readNow() + offsetMs;

  function nextTask(): Task | undefined {
    return [...tasks].sort((a, b) => a.atMs - b.atMs)[0];
  }

  function armTimer(): void {
    clearTimeout(timer);
    const next = nextTask();
    if (!next) return;
    const delayMs = Math.min(Math.max(next.atMs - now(), 0), longestTimerMs);
    timer = setTimeout(() => void runDue(), delayMs);
    timer.unref();
  }

  async function runDue(): Promise<void> {
    for (let next = nextTask(); next && next.atMs <= now(); next = nextTask()) {
      tasks.delete(next);
      await next.run();
    }
    armTimer();
  }

  /** Moves the time forward by `byMs`. Resolves after every task scheduled up to the new time has run, in order. */
  async function advance(byMs: number): Promise<void> {
    offsetMs += byMs;
    await runDue();
  }

  return {
    now,
    advance,
    /**
     * Sets the time (milliseconds since the epoch). Resolves after every task scheduled up to then has run, in order.
     */
    set: (atMs: number): Promise<void> => advance(atMs - now()),
    /** Calls `run` once the sandbox's time reaches `atMs`. Returns a function that cancels this task. */
    schedule(atMs: number, run: Task['run']): () => void {
      const task = { atMs, run };
      tasks.add(task);
      armTimer();
      return () => void tasks.delete(task);
    },
    /** Returns to the time of `readNow`, and cancels every scheduled task. */
    reset(): void {
      clearTimeout(timer);
      tasks.clear();
      offsetMs = 0;
    },
  };
}

export type SandboxClock = ReturnType<typeof createClock>;
