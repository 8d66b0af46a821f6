import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLineIds } from '../config/log.ts';
import { claimDueRuns, releaseDeadLeases } from '../database/run-leases.ts';
import { prepareNextDueAt } from '../database/runs.ts';
import { createActiveRuns } from './active-runs.ts';
import { retryDelayMs } from './attempt.ts';
import type { PipelineDeps } from './step-context.ts';

/** What a worker needs. */
export interface WorkerDeps extends PipelineDeps {
  /**
   * How many runs are executed at once; 32 unless given. Most of a run is waiting for Slack, and runs at the same time
   * share commits. A run costs a seventh less CPU than with 16; 64 bring no further gain.
   */
  concurrency?: number;
  /** How long a claimed run stays ours without a renewal of its lease; 30,000 unless given. */
  leaseMs?: number;
  /** How often to look for runs that other processes queued; 2,000 unless given. */
  pollMs?: number;
  /** How often to check whether another process has cancelled an active run; 500 unless given. */
  lookMs?: number;
  /** This process, unless a test says otherwise. */
  identity?: WorkerIdentity;
}

/** Executes runs in this process. */
export interface Worker {
  /** Starts to claim runs, and takes over the runs of processes on this machine that die. */
  start(): void;
  /** Looks for work soon. Called after an install was stored, or a run was queued or cancelled. */
  wake(): void;
  /** Whether no run is under way and none is being claimed. */
  isIdle(): boolean;
  /** Claims nothing more, and resolves within `drainMs`: running steps end, or are handed back to run again. */
  stop(options: { drainMs: number }): Promise<void>;
}

/**
 * The database is not asked for work more often than this, even if work is due again and again. Why a wake waits this
 * long too: most wakes come from an install whose browser still waits for its page. Eight simultaneous installs waited
 * 230 ms for their pages when their runs started at once, and 219 ms with this pause. And one claim serves all of them.
 */
const leastPauseMs = 50;
/** After this many failures in a row (about a minute), a person must look into it. */
const faultsOfOutage = 10;
/** The last part of a drain, when the steps that did not end are aborted and handed back. */
const handBackMs = 1500;

/** Makes the worker; nothing happens before `start`. */
export function createWorker(deps: WorkerDeps): Worker {
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

  /** Claims runs that are due and sets the timer for the rest; one turn at a time, however often it is called. */
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

  /** Returns how long to pause. Never rejects: a database failure only makes the pause longer. */
  async function claimAndPause(): Promise<number> {
    try {
      if (performance.now() - deadSoughtAt >= pollMs) await releaseDead();
      // Reads what is due first, so that an idle worker writes nothing. A full worker continues when a run ends.
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
        'the worker cannot use the database, and tries again',
      );
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
    // Otherwise this worker could claim its own run in the middle of a step.
    if (active.hasLapsed(at)) await active.renew();
    const leaseUntil = at + leaseMs;
    const owner = `${prefix}.${++claims}`;
    const leases = await claimDueRuns(database, { clientId, limit, now: at, leaseUntil, owner });
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
      // The worker's own lines, and those of other runs, must not have the ids of the install that woke it.
      withLineIds({}, () => {
        soon ??= setTimeout(() => {
          soon = undefined;
          // A wake may also mean that a run was cancelled.
          void active.look();
          turn();
        }, leastPauseMs);
      });
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

/** Resolves when the work ends or the time is over. */
async function within(work: Promise<void>, limitMs: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, sleep(limitMs, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
}

/** Identifies a process: its machine, its pid, and which of the processes with that pid it is. */
export interface WorkerIdentity {
  /** The machine's name, and a mark that distinguishes it from another machine of that name. */
  host: string;
  pid: number;
  /** Differs between two processes with the same pid, which the first process in a container always has. */
  startId: string;
  isAlive(pid: number): boolean;
}

/** The identity of this process. */
export function thisProcess(): WorkerIdentity {
  const startId = Math.round(performance.timeOrigin).toString(36);
  return { host: `${hostname()}${machineMark()}`, pid: process.pid, startId, isAlive };
}

/**
 * Why a name is not enough: two machines or containers of one name would each mistake the other's runs for those of a
 * dead process of its own, and execute them a second time. Linux identifies each boot of a machine, and the pid
 * namespace of each container. If either cannot be read, the name has to be enough.
 */
function machineMark(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    const numbering = readlinkSync('/proc/self/ns/pid');
    return `-${createHash('sha256').update(`${boot} ${numbering}`).digest('hex').slice(0, 8)}`;
  } catch {
    return '';
  }
}

/** The prefix of every lease owner of a process: `host:pid:startId`. */
export function ownerPrefix({ host, pid, startId }: WorkerIdentity): string {
  return `${host.replaceAll(/[:/]/g, '-')}:${pid}:${startId}`;
}

/**
 * Whether a lease's owner is known to be dead: a process of this machine that no longer runs, or an earlier process
 * with our own pid. Nothing is known about other machines: their leases expire.
 */
export function isDeadOwner(owner: string, self: WorkerIdentity): boolean {
  const [host, pid, startId] = owner.split('/')[0]?.split(':') ?? [];
  const own = ownerPrefix(self).split(':')[0];
  if (host !== own || pid === undefined || !/^\d+$/.test(pid)) return false;
  if (Number(pid) === self.pid) return startId !== self.startId;
  return !self.isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process is alive and belongs to another user.
    const isGone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    return !isGone;
  }
  return !isZombie(pid);
}

/** Whether a process is a zombie: it has exited, and keeps its pid until its parent collects its exit status. */
function isZombie(pid: number): boolean {
  try {
    // `pid (name) state …`, where the name may hold anything (man 5 proc).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    // Not Linux, or the process is gone by now.
    return false;
  }
}
