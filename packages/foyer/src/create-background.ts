import { setTimeout as sleep } from 'node:timers/promises';
import type { Jobs } from './chores/jobs.ts';
import { type Chore, repeat } from './chores/repeat.ts';
import { takeTurn } from './chores/take-turn.ts';
import type { Logger } from './config/log.ts';
import type { Database } from './database/database.ts';
import type { Foyer } from './foyer.ts';
import type { Keyring } from './installations/keyring.ts';
import type { TokenSource } from './installations/token-source.ts';
import { keepHoldingKey, keyHeldEveryMs } from './installations/verify-keyring.ts';
import { countsKeptEveryMs, keepCounts } from './operator/kept-counts.ts';
import { readQueueState } from './operator/queue-state.ts';
import { createWorker, type Worker, type WorkerDeps } from './pipeline/worker.ts';

const drainMs = 7000;
/**
 * How often Foyer asks Slack whether the tokens of held installations work again. With this interval, Foyer makes few
 * calls and still notices soon that a token works.
 */
const heldTestedEveryMs = 15 * 60_000;

/**
 * Creates the work that Foyer does without a request. `start` repeats this work until `stop`. `drain` is for hosts
 * where no process keeps running: it executes the due runs, the jobs and some of the chores once.
 */
export function createBackground(deps: {
  database: Database;
  keyring: Keyring;
  /** `process` is the name of this process in the table of key holders. */
  holder: Parameters<typeof keepHoldingKey>[2];
  clientId: string;
  workerDeps: WorkerDeps;
  worker: Worker;
  tokens: Pick<TokenSource, 'refreshLapsing' | 'settleHeld'>;
  install: { recoverInstalls(): Promise<void> };
  seen: { sweep(): Promise<void> };
  notices: { send(): Promise<void>; stop(): void };
  jobs: Jobs;
  now: () => number;
  log: Logger;
}): Pick<Foyer, 'start' | 'drain'> & { stop(): Promise<void> } {
  const { database, clientId, worker, tokens, install, notices, jobs, now, log } = deps;
  const stopping = new AbortController();
  let chores: Chore[] = [];

  /** Each app has its own turns: a chore of one app does nothing for another app in the same database. */
  const takeOwnTurn = ({ chore, everyMs }: { chore: string; everyMs: number }) =>
    takeTurn(database, { chore: `${chore} of ${clientId}`, everyMs, now: now() });

  async function holdKey(): Promise<void> {
    const problem = await keepHoldingKey(database, deps.keyring, deps.holder);
    if (problem) log.error(problem);
  }

  /**
   * When a machine starts, it runs each of the other shared chores once. It runs this chore only if `takeOwnTurn`
   * allows it. Otherwise, every machine would send requests to Slack when it starts.
   */
  async function settleHeld(signal: AbortSignal): Promise<void> {
    const turn = { chore: 'test held installations', everyMs: heldTestedEveryMs };
    if (await takeOwnTurn(turn)) await tokens.settleHeld({ signal });
  }

  const countsTurn = { chore: 'store counts for the operator pages', everyMs: countsKeptEveryMs };
  const keepLargeCounts = () => keepCounts(database, { clientId, now: now() });

  return {
    async start() {
      worker.start();
      // The options of the chores that all machines share. Each machine does such a chore once when it starts. After
      // that, the machines take turns.
      const inTurn = { takeTurn: takeOwnTurn, log };
      const minuteMs = 60_000;
      chores = [
        repeat({ everyMs: 5000, what: 'notify the operators', work: notices.send, log }),
        repeat({ everyMs: minuteMs, what: 'recover installs', work: install.recoverInstalls, ...inTurn }),
        repeat({
          everyMs: 5 * minuteMs,
          what: 'refresh tokens',
          work: () => tokens.refreshLapsing(),
          ...inTurn,
        }),
        repeat({
          everyMs: heldTestedEveryMs,
          what: 'test held installations',
          work: () => settleHeld(stopping.signal),
          log,
        }),
        repeat({ everyMs: 5 * minuteMs, what: 'forget old deliveries', work: deps.seen.sweep, ...inTurn }),
        repeat({
          everyMs: countsTurn.everyMs,
          what: countsTurn.chore,
          work: keepLargeCounts,
          ...inTurn,
        }),
        repeat({
          everyMs: keyHeldEveryMs,
          what: 'record which encryption key this process uses',
          work: holdKey,
          log,
        }),
        ...jobs.start(),
      ];
    },

    async drain({ deadlineMs }) {
      const until = performance.now() + deadlineMs;
      await install.recoverInstalls();
      await notices.send();
      await settleHeld(AbortSignal.timeout(deadlineMs));
      const pass = createWorker(deps.workerDeps);
      pass.start();
      const isDone = async () =>
        (await readQueueState(database.queries, { clientId, now: now() })).due === 0 && pass.isIdle();
      await jobs.pass(Math.max(1, until - performance.now()));
      let done = await isDone();
      while (!done && performance.now() < until) {
        await sleep(Math.min(50, Math.max(1, until - performance.now())));
        done = await isDone();
      }
      await pass.stop({ drainMs: Math.max(1000, until - performance.now()) });
      if (done && (await takeOwnTurn(countsTurn))) await keepLargeCounts();
      await notices.send();
      return { done };
    },

    async stop() {
      notices.stop();
      jobs.abort();
      stopping.abort();
      await Promise.all([worker.stop({ drainMs }), ...chores.map((chore) => chore.stop())]);
    },
  };
}
