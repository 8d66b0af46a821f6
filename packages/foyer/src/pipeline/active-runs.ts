import { findHeldRuns, holdLease, type RunLease, renewLeases } from '../database/run-leases.ts';
import { restRun } from '../database/runs.ts';
import { runPipeline } from './run-pipeline.ts';
import type { PipelineDeps } from './step-context.ts';

/** The runs that this process works on, and their leases. */
export interface ActiveRuns {
  count(): number;
  /** Whether a lease has expired by our clock, so that the run could be claimed a second time. */
  hasLapsed(now: number): boolean;
  /** Executes a claimed run until it rests or ends. */
  work(lease: RunLease, leaseUntil: number): void;
  /** Aborts runs that were cancelled or taken over, by this process or another. Never rejects. */
  look(): Promise<void>;
  /** Renews the leases, and aborts the same runs as `look`. Never rejects. */
  renew(): Promise<void>;
  /** Aborts the running steps; their runs are handed back. */
  abort(): void;
  /** Resolves when all runs that are active now have ended. */
  ended(): Promise<void>;
}

interface ActiveRun {
  lease: RunLease;
  /** By our clock; after it, another worker may own the run. */
  leaseUntil: number;
  abort: AbortController;
  ended: Promise<void>;
}

/** How long a run rests after an error of our own, not the step's. */
const faultPauseMs = 2000;

/** Tracks the active runs; `onEnded` is called after each. */
export function createActiveRuns(
  deps: PipelineDeps,
  options: { leaseMs: number; draining(): boolean; onEnded(): void },
): ActiveRuns {
  const { database, now, log } = deps;
  const active = new Set<ActiveRun>();

  /** An error of our own is not the step's fault: any worker may claim the run again later. */
  async function giveBack(lease: RunLease, fault: unknown): Promise<void> {
    log.error({ err: fault, runId: lease.runId }, 'a run was interrupted by an error, and is retried');
    try {
      await database.write(async (transaction) => {
        if (!(await holdLease(transaction, lease))) return;
        const dueAt = now() + faultPauseMs;
        await restRun(transaction, lease.runId, { status: 'queued', dueAt, waitingFor: null });
      });
    } catch (error) {
      log.warn(
        { err: error, runId: lease.runId },
        'a run could not be handed back; its lease expires automatically',
      );
    }
  }

  return {
    count: () => active.size,
    hasLapsed: (at) => [...active].some((run) => run.leaseUntil <= at),
    work(lease, leaseUntil) {
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
    async look() {
      const runs = [...active];
      if (runs.length === 0) return;
      try {
        keepHeld(runs, await findHeldRuns(database.queries, leasesOf(runs)));
      } catch (error) {
        log.warn({ err: error }, 'leases could not be checked');
      }
    },
    async renew() {
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
    abort() {
      for (const run of active) run.abort.abort();
    },
    async ended() {
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
