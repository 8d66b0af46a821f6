import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLineIds } from '../config/log.ts';
import {
  claimDueRuns,
  findHeldRuns,
  holdLease,
  type RunLease,
  releaseDeadLeases,
  renewLeases,
} from '../database/run-leases.ts';
import { prepareNextDueAt, restRun } from '../database/runs.ts';
import { retryDelayMs } from './attempt.ts';
import { runPipeline } from './run-pipeline.ts';
import type { PipelineDeps } from './step-context.ts';
import { isDeadOwner, ownerPrefix, thisProcess, type WorkerIdentity } from './worker-identity.ts';

export interface WorkerDeps extends PipelineDeps {
  /**
   * How many runs this process executes at the same time; 32 by default. A run mostly waits for Slack, and concurrent
   * runs share commits. A run costs a seventh less CPU time with 32 than with 16; a limit of 64 brings no further gain.
   */
  concurrency?: number;
  /** How long a run stays with this worker if the worker does not renew the lease; 30,000 by default. */
  leaseMs?: number;
  /** How often to look for runs that other processes queued; 2,000 by default. */
  pollMs?: number;
  /** How often to check whether another process has cancelled an active run; 500 by default. */
  lookMs?: number;
  /** The process to which this worker belongs: the current one by default, another one in some tests. */
  identity?: WorkerIdentity;
}

/** Executes runs in this process. */
export type Worker = ReturnType<typeof createWorker>;

/**
 * The timer waits at least this long before it queries for due work again. When a run ends, the worker queries
 * immediately.
 *
 * Why `wake` waits this long too: most wakes come from an install, while the person's browser still waits for the
 * progress page. During the pause, Foyer can send that page. After the pause, one claim serves all installs that
 * arrived in the meantime. Eight simultaneous installs waited 230 ms for their pages when their runs started
 * immediately, and 219 ms with the pause.
 */
const leastPauseMs = 50;
/** After this many failures in a row (about a minute), Foyer logs errors instead of warnings: a person must look. */
const faultsOfOutage = 10;
/**
 * At this time before the end of a drain, the worker aborts the steps that are still running, so that it can release
 * their runs in time.
 */
const handBackMs = 1500;

/** Makes the worker; nothing happens before `start`. */
export function createWorker(deps: WorkerDeps) {
  const { database, now, log, concurrency = 32, leaseMs = 30_000, pollMs = 2000, lookMs = 500 } = deps;
  const identity = deps.identity ?? thisProcess();
  const prefix = `${ownerPrefix(identity)}/${randomUUID().slice(0, 8)}`;
  const { clientId } = deps.services.config.slack;
  const nextDueAt = prepareNextDueAt(database, clientId);
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

  /** Claims the runs that are due, and sets the timer for the next turn. Only one turn is in progress at a time. */
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

  /** Claims due runs, and returns how long to pause. Never rejects: a database failure only makes the pause longer. */
  async function claimAndPause(): Promise<number> {
    try {
      if (performance.now() - deadSoughtAt >= pollMs) await releaseDead();
      // Each claim is a write. So a worker claims only if a run is due: it first queries when the next run is due. A
      // full worker skips the query, and claims again when a run ends.
      let dueAt = isFull() ? undefined : await nextDueAt();
      if (dueAt !== undefined && dueAt <= now()) {
        await claimAndWork(concurrency - active.count());
        dueAt = isFull() ? undefined : await nextDueAt();
      }
      faults = 0;
      return Math.max(leastPauseMs, Math.min(pollMs, (dueAt ?? Infinity) - now()));
    } catch (error) {
      faults += 1;
      log[faults < faultsOfOutage ? 'warn' : 'error'](
        { err: error, faults },
        'the worker cannot use the database; it will try again',
      );
      return Math.min(10_000, 200 + retryDelayMs(faults, Math.random));
    }
  }

  async function releaseDead(): Promise<void> {
    const runIds = await releaseDeadLeases(database, {
      isDead: (owner) => !owner.startsWith(prefix) && isDeadOwner(owner, identity),
      now: now(),
    });
    deadSoughtAt = performance.now();
    if (runIds.length > 0)
      log.info({ runIds }, 'released the runs of processes that died; any worker can claim them');
  }

  async function claimAndWork(limit: number): Promise<void> {
    const at = now();
    // Without this, the worker could claim a run that it is still executing, because the run's lease has expired.
    if (active.hasLapsed(at)) await active.renew();
    const leaseUntil = at + leaseMs;
    const owner = `${prefix}.${++claims}`;
    const leases = await claimDueRuns(database, { clientId, limit, now: at, leaseUntil, owner });
    for (const lease of leases) active.work(lease, leaseUntil);
  }

  const isFull = (): boolean => active.count() >= concurrency;

  return {
    /** Starts to claim runs, and to release each run whose process died on this machine. */
    start(): void {
      if (phase !== 'new') return;
      phase = 'working';
      heartbeat = setInterval(active.renew, leaseMs / 3);
      lookout = setInterval(active.look, lookMs);
      turn();
    },
    /** Looks for work soon. Called after an install was stored, or a run was queued or cancelled. */
    wake(): void {
      if (phase !== 'working') return;
      // If an install woke the worker, the log lines of the worker and of other runs must not contain the install's
      // ids.
      withLineIds({}, () => {
        soon ??= setTimeout(() => {
          soon = undefined;
          // A wake may also mean that a run was cancelled.
          void active.look();
          turn();
        }, leastPauseMs);
      });
    },
    /** Whether this worker is neither executing nor claiming a run. */
    isIdle: () => active.count() === 0 && turning === undefined,
    /** Stops claiming runs, and resolves within `drainMs`: running steps end, or are aborted and start again later. */
    async stop({ drainMs }: { drainMs: number }): Promise<void> {
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

/** Resolves when the work ends or the time is over. */
async function within(work: Promise<void>, limitMs: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, sleep(limitMs, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
}

interface ActiveRun {
  lease: RunLease;
  /** When the lease expires, by this process's clock. From then on, another worker may own the run. */
  leaseUntil: number;
  abort: AbortController;
  ended: Promise<void>;
}

/** How long a run waits after an error of Foyer itself. */
const faultPauseMs = 2000;

/** Tracks the runs that this process works on, and their leases; `onEnded` is called after each run. */
export function createActiveRuns(
  deps: PipelineDeps,
  options: { leaseMs: number; draining(): boolean; onEnded(): void },
) {
  const { database, now, log } = deps;
  const active = new Set<ActiveRun>();

  /** Releases a run after an error of Foyer itself: any worker may claim it again later. */
  async function giveBack(lease: RunLease, fault: unknown): Promise<void> {
    log.error({ err: fault, runId: lease.runId }, 'a run was interrupted by an error; Foyer retries it');
    try {
      await database.write(async (transaction) => {
        if (!(await holdLease(transaction, lease))) return;
        const dueAt = now() + faultPauseMs;
        await restRun(transaction, lease.runId, { status: 'queued', dueAt, waitingFor: null });
      });
    } catch (error) {
      log.warn(
        { err: error, runId: lease.runId },
        'a run could not be released; another worker can claim it once its lease has expired',
      );
    }
  }

  return {
    count: () => active.size,
    /** Whether a lease has expired by our clock, so that the run could be claimed a second time. */
    hasLapsed: (at: number) => [...active].some((run) => run.leaseUntil <= at),
    /** Executes a claimed run until it ends or has to wait. */
    work(lease: RunLease, leaseUntil: number): void {
      const abort = new AbortController();
      const control = { signal: abort.signal, draining: options.draining };
      const run: ActiveRun = { lease, leaseUntil, abort, ended: work() };
      active.add(run);
      async function work(): Promise<void> {
        await runPipeline(deps, lease, control).catch((error) => giveBack(lease, error));
        active.delete(run);
        options.onEnded();
      }
    },
    /** Aborts the active runs that any process has cancelled or taken over. Never rejects. */
    async look(): Promise<void> {
      const runs = [...active];
      if (runs.length === 0) return;
      try {
        keepHeld(runs, await findHeldRuns(database.queries, leasesOf(runs)));
      } catch (error) {
        log.warn({ err: error }, 'leases could not be checked');
      }
    },
    /**
     * Renews the leases, and aborts the runs that `look` would abort. If the database fails, aborts only those whose
     * lease has expired. Never rejects.
     */
    async renew(): Promise<void> {
      const runs = [...active];
      if (runs.length === 0) return;
      const leaseUntil = now() + options.leaseMs;
      try {
        keepHeld(runs, await renewLeases(database, { leases: leasesOf(runs), leaseUntil }));
        for (const run of runs) run.leaseUntil = leaseUntil;
      } catch (error) {
        log.warn({ err: error }, 'leases could not be renewed');
        for (const run of runs) if (run.leaseUntil <= now()) run.abort.abort();
      }
    },
    /** Aborts the running steps; the worker then releases their runs. */
    abort(): void {
      for (const run of active) run.abort.abort();
    },
    /** Resolves when all runs that are active now have ended. */
    async ended(): Promise<void> {
      await Promise.all([...active].map((run) => run.ended));
    },
  };
}

const leasesOf = (runs: readonly ActiveRun[]): RunLease[] => runs.map((run) => run.lease);

function keepHeld(runs: readonly ActiveRun[], held: readonly RunLease[]): void {
  for (const { lease, abort } of runs) {
    if (!held.some(({ runId, owner }) => runId === lease.runId && owner === lease.owner)) abort.abort();
  }
}
