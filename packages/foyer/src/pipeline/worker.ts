import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimDueRuns, releaseDeadLeases } from '../database/run-leases.ts';
import { prepareNextDueAt } from '../database/runs.ts';
import { createActiveRuns } from './active-runs.ts';
import { retryDelayMs } from './attempt.ts';
import type { PipelineDeps } from './step-context.ts';
import { isDeadOwner, ownerPrefix, thisProcess, type WorkerIdentity } from './worker-identity.ts';

/** What a worker needs. */
export interface WorkerDeps extends PipelineDeps {
  /**
   * How many runs are worked at once; 32 unless told: most of a run is waiting for Slack, and what they write shares its
   * commits. A run costs a seventh less CPU than with 16; 64 bring nothing more.
   */
  concurrency?: number;
  /** How long a claimed run stays ours without a sign of life; 30,000 unless told. */
  leaseMs?: number;
  /** How often runs that other processes queued are looked for; 2,000 unless told. */
  pollMs?: number;
  /** How often it is looked whether another process has cancelled a run under way; 500 unless told. */
  lookMs?: number;
  /** This process, unless a test says otherwise. */
  identity?: WorkerIdentity;
}

/** Works the runs of this process. */
export interface Worker {
  /** Begins to claim runs, and takes over those of processes of this machine that die. */
  start(): void;
  /** Looks for work in a moment: called after an install was stored, a run was queued, or one was cancelled. */
  wake(): void;
  /** Whether no run is under way and none is being claimed. */
  isIdle(): boolean;
  /** Claims nothing more, and resolves within `drainMs`: running steps end, or are handed back to be done again. */
  stop(options: { drainMs: number }): Promise<void>;
}

/**
 * Even with work that is due again and again, the database is not asked more often than this. Why a wake waits as long:
 * most come from an install, whose browser is yet to get its page. Eight that install at one moment waited 230 ms for
 * theirs where their runs began at once, and 219 so. And one claim is for all of a moment.
 */
const leastPauseMs = 50;
/** The last part of a drain: the steps that did not end are aborted, and handed back. */
const handBackMs = 1500;

/** Makes the worker; nothing happens before `start`. */
export function createWorker(deps: WorkerDeps): Worker {
  const { database, now, log, concurrency = 32, leaseMs = 30_000, pollMs = 2000, lookMs = 500 } = deps;
  const identity = deps.identity ?? thisProcess();
  const prefix = `${ownerPrefix(identity)}/${randomUUID().slice(0, 8)}`;
  const nextDueAt = prepareNextDueAt(database);
  let phase: 'new' | 'working' | 'stopping' = 'new';
  let claims = 0;
  let faults = 0;
  let deadSoughtAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let lookout: NodeJS.Timeout | undefined;
  let soon: NodeJS.Timeout | undefined;
  let turning: Promise<void> | undefined;
  let turnAgain = false;

  const active = createActiveRuns(deps, {
    leaseMs,
    draining: () => phase !== 'working',
    onEnded: () => turn(),
  });

  /** Claims what is due and sets the timer for what is not; one at a time, however often it is asked for. */
  function turn(): void {
    if (phase !== 'working') return;
    turnAgain = turning !== undefined;
    if (turnAgain) return;
    clearTimeout(timer);
    turning = claimAndPause().then((pauseMs) => {
      turning = undefined;
      if (phase !== 'working') return;
      if (turnAgain) turn();
      else timer = setTimeout(turn, pauseMs);
    });
  }

  /** Returns how long to pause. Never rejects: a fault of the database only makes the pause longer. */
  async function claimAndPause(): Promise<number> {
    try {
      if (performance.now() - deadSoughtAt >= pollMs) await releaseDead();
      // What is due is asked for first: an idle worker writes nothing. A full one is told when a run ends.
      let dueAt = isFull() ? undefined : await nextDueAt();
      if (dueAt !== undefined && dueAt <= now()) {
        await claimAndWork(concurrency - active.count());
        dueAt = isFull() ? undefined : await nextDueAt();
      }
      faults = 0;
      return Math.max(leastPauseMs, Math.min(pollMs, (dueAt ?? Infinity) - now()));
    } catch (error) {
      faults += 1;
      log.warn({ err: error, faults }, 'the worker cannot use the database, and tries again');
      return Math.min(10_000, 200 + retryDelayMs(faults, Math.random));
    }
  }

  async function releaseDead(): Promise<void> {
    const runIds = await releaseDeadLeases(database, {
      isDead: (owner) => isDeadOwner(owner, identity),
      now: now(),
    });
    deadSoughtAt = performance.now();
    if (runIds.length > 0) log.info({ runIds }, 'takes over the runs of a process that died');
  }

  async function claimAndWork(limit: number): Promise<void> {
    const at = now();
    // Else a run of our own would be claimed from ourselves, in the middle of its step.
    if (active.hasLapsed(at)) await active.renew();
    const leaseUntil = at + leaseMs;
    const owner = `${prefix}.${++claims}`;
    const leases = await claimDueRuns(database, { limit, now: at, leaseUntil, owner });
    for (const lease of leases) active.work(lease, leaseUntil);
  }

  const isFull = (): boolean => active.count() >= concurrency;

  return {
    start() {
      if (phase !== 'new') return;
      phase = 'working';
      heartbeat = setInterval(active.renew, leaseMs / 3);
      lookout = setInterval(active.look, lookMs);
      turn();
    },
    wake() {
      if (phase !== 'working') return;
      soon ??= setTimeout(() => {
        soon = undefined;
        // Whoever cancelled a run wakes us too.
        void active.look();
        turn();
      }, leastPauseMs);
    },
    isIdle: () => active.count() === 0 && turning === undefined,
    async stop({ drainMs }) {
      phase = 'stopping';
      clearTimeout(timer);
      const handBack = Math.min(handBackMs, drainMs / 2);
      const drained = (async () => {
        await turning;
        await active.ended();
      })();
      await within(drained, drainMs - handBack);
      active.abort();
      await within(drained, handBack);
      clearInterval(heartbeat);
      clearInterval(lookout);
      clearTimeout(soon);
    },
  };
}

/** Resolves with the work, or when the time is over. */
async function within(work: Promise<void>, limitMs: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, sleep(limitMs, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
}
