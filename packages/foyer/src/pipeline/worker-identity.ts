import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';

/** Which process this is: its machine, its number there, and which incarnation of that number. */
export interface WorkerIdentity {
  /** The machine's name, and what tells it from another of that name. */
  host: string;
  pid: number;
  /** Differs between two processes that were given the same number, as the first one in a container always is. */
  startId: string;
  isAlive(pid: number): boolean;
}

/** The identity of this process. */
export function thisProcess(): WorkerIdentity {
  const startId = Math.round(performance.timeOrigin).toString(36);
  return { host: `${hostname()}${machineMark()}`, pid: process.pid, startId, isAlive };
}

/**
 * Why a name is not enough: two machines or containers of one name would each take the other's runs to be those of a
 * dead process of its own, and work them a second time. Linux knows each boot of a machine, and each container's own
 * numbering of processes; where neither can be read, the name has to be enough.
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

/** The start of every lease owner of a process: `host:pid:startId`. */
export function ownerPrefix({ host, pid, startId }: WorkerIdentity): string {
  return `${host.replaceAll(/[:/]/g, '-')}:${pid}:${startId}`;
}

/**
 * Whether a lease's owner is known to be dead: a process of this machine that no longer lives, or an earlier
 * incarnation of our own number. Of other machines nothing is known: their leases expire.
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
    // EPERM: it lives, and belongs to another user.
    const isGone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    return !isGone;
  }
  return !isZombie(pid);
}

/** Whether a process has died and its parent has not asked how: it still has its number, and does nothing anymore. */
function isZombie(pid: number): boolean {
  try {
    // `pid (name) state …`, where the name may hold anything (man 5 proc).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    // Another system than Linux, or the process is gone since.
    return false;
  }
}
