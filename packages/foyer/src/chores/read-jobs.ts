import type { Queries } from '../database/database.ts';
import type { ChoreRow } from '../database/records.ts';
import { latestInterval } from './take-turn.ts';

/**
 * The name under which a job's turns are recorded. It contains the client id, because several apps may share a
 * database.
 */
export function choreOf(clientId: string, name: string): string {
  return `job ${clientId}/${name}`;
}

/** interrupted: the lease ran out before an end was recorded, for example because the machine died. */
type JobOutcome = 'succeeded' | 'failed' | 'interrupted';

/**
 * The state of a job:
 * - overdue: a turn is late, and no machine has begun it.
 * - waiting: no outcome is known yet.
 * - removed: the job ran before, but is no longer in the definition.
 * The other states describe the newest turn.
 */
export type JobStatus = JobOutcome | 'running' | 'overdue' | 'waiting' | 'removed';

/** A job of the definition, or one that was removed from it, and the outcomes of its newest executions. */
export interface JobState {
  name: string;
  /** Null if the job was removed from the definition. */
  everyMs: number | null;
  status: JobStatus;
  /** The outcome of the newest turn that is no longer running; null if there is none. */
  outcome: JobOutcome | null;
  /** When the newest turn began, and on which machine; null if none has begun. */
  startedAt: number | null;
  machine: string | null;
  /** How long the newest turn took; null if no turn has begun, or the newest one is running or was interrupted. */
  tookMs: number | null;
  /** If `outcome` is `failed`, the reason: a code such as `channel_not_found`, never a message. Otherwise null. */
  errorCode: string | null;
  /** When the next turn is due; in the past if it is late. Null if the job was removed. */
  nextDueAt: number | null;
}

/** Reads the states of the definition's jobs, and then the states of the jobs that were removed from the definition. */
export async function readJobs(
  queries: Queries,
  app: { clientId: string; jobs: readonly { name: string; everyMs: number }[]; now: number },
): Promise<JobState[]> {
  const { clientId, jobs, now } = app;
  const rows = await queries
    .selectFrom('chores')
    .selectAll()
    .where('name', 'like', 'job %')
    .orderBy('name')
    .execute();
  const prefix = choreOf(clientId, '');
  const known = new Map(
    rows.filter(({ name }) => name.startsWith(prefix)).map((row) => [row.name.slice(prefix.length), row]),
  );
  const states = jobs.map((job) => stateOf(job, known.get(job.name), now));
  const removed = [...known].filter(([name]) => !jobs.some((job) => job.name === name));
  return [
    ...states,
    ...removed.map(([name, row]): JobState => {
      return { name, everyMs: null, nextDueAt: null, ...lastTurn(row, now), status: 'removed' };
    }),
  ];
}

/** Whether someone must look into a job: its last turn failed or was interrupted, or the next one is late. */
export function isInTrouble({ status, outcome }: JobState): boolean {
  if (status === 'removed') return false;
  return status === 'overdue' || outcome === 'failed' || outcome === 'interrupted';
}

/**
 * A job counts as late if it has not begun one interval after its due time. This delay is at least `least` and at most
 * `most`. A delay is necessary if cron calls `foyer.drain`: a due job then begins only at the next call, which can be
 * minutes later. Otherwise, a due job begins within a second.
 */
const lateAfterMs = { least: 2 * 60_000, most: 15 * 60_000 };

function stateOf(
  { name, everyMs }: { name: string; everyMs: number },
  row: ChoreRow | undefined,
  now: number,
): JobState {
  const nextDueAt = nextDue(row?.begun_at, { everyMs, now });
  const turn = lastTurn(row, now);
  const graceMs = Math.min(Math.max(everyMs, lateAfterMs.least), lateAfterMs.most);
  const isLate = turn.status !== 'running' && now - nextDueAt > graceMs;
  return { name, everyMs, nextDueAt, ...turn, status: isLate ? 'overdue' : turn.status };
}

type LastTurn = Pick<JobState, 'status' | 'outcome' | 'startedAt' | 'machine' | 'tookMs' | 'errorCode'>;

function lastTurn(row: ChoreRow | undefined, now: number): LastTurn {
  if (!row) {
    return {
      status: 'waiting',
      outcome: null,
      startedAt: null,
      machine: null,
      tookMs: null,
      errorCode: null,
    };
  }
  const { started_at: startedAt, leased_until: leasedUntil, machine } = row;
  const ended = { outcome: row.outcome, errorCode: row.error_code };
  if (leasedUntil === null) {
    return { status: row.outcome ?? 'waiting', startedAt, machine, tookMs: row.took_ms, ...ended };
  }
  if (leasedUntil > now) return { status: 'running', startedAt, machine, tookMs: null, ...ended };
  const interrupted = { status: 'interrupted', outcome: 'interrupted', errorCode: null } as const;
  return { ...interrupted, startedAt, machine, tookMs: null };
}

/**
 * Returns the start of the interval in which the job must run next. Usually, this is the interval after the job's last
 * turn. But if no turn has begun yet, or if a process with a wrong clock began the last turn, it is the current
 * interval.
 */
function nextDue(takenAt: number | undefined, { everyMs, now }: { everyMs: number; now: number }): number {
  const current = Math.floor(now / everyMs) * everyMs;
  if (takenAt === undefined || takenAt > latestInterval({ everyMs, now })) return current;
  return (Math.floor(takenAt / everyMs) + 1) * everyMs;
}
