import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';

/** Identifies a process by its machine, its pid and its start. */
export interface WorkerIdentity {
  /** The machine's name, and a mark that distinguishes it from other machines with the same name. */
  host: string;
  pid: number;
  /** Distinguishes processes with the same pid: the first process in a container always has pid 1. */
  startId: string;
  isAlive(pid: number): boolean;
}

export function thisProcess(): WorkerIdentity {
  const startId = Math.round(performance.timeOrigin).toString(36);
  return { host: `${hostname()}${machineMark()}`, pid: process.pid, startId, isAlive };
}

/**
 * Why the name alone is not enough: if two machines or containers had the same name, each would assume that the other's
 * runs belong to one of its own dead processes, and would execute those runs a second time. Linux identifies each boot
 * of a machine, and the pid namespace of each container. If one of these cannot be read, Foyer uses the name alone.
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
 * with our own pid. False for a process of another machine: its leases expire.
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
    // The file begins with `pid (name) state`. The name may contain any character, even `)` (man 5 proc).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    // Not Linux, or the process is gone by now.
    return false;
  }
}
