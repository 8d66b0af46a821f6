import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigProblem } from '../config/config-error.ts';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { causesOf, namedCode, stepFailure } from '../pipeline/step-failure.ts';
import { choreOf } from './read-jobs.ts';
import { type Chore, repeat } from './repeat.ts';
import { takeInterval } from './take-turn.ts';

/**
 * The app's own recurring work: it runs at most once per interval, across all machines, restarts and deploys.
 *
 * Intervals are counted from 1970 in UTC: with an `everyMs` of one day, they begin at midnight. A job that missed
 * several intervals runs once, for the current one. If a job fails or its process dies, Foyer does not run it again
 * before the next interval. So a turn that was left half done must cause no harm.
 *
 * @example
 * const bill: Job<Foyer> = {
 *   name: 'bill',
 *   everyMs: 24 * 60 * 60 * 1000,
 *   async run({ foyer, dueAt, signal }) {
 *     await billEveryTeam(foyer, new Date(dueAt), signal);
 *   },
 * };
 */
export interface Job<Foyer = unknown> {
  /** Lower-case words with hyphens. Permanent: the database stores the job's turns under this name. */
  readonly name: string;
  /** The length of an interval, from 1,000 (one second) to 31,622,400,000 (366 days). */
  readonly everyMs: number;
  run(turn: JobTurn<Foyer>): Promise<unknown>;
}

/** One turn of a job: its work in one interval. */
export interface JobTurn<Foyer = unknown> {
  readonly foyer: Foyer;
  /** When the interval began, in milliseconds since 1970. */
  readonly dueAt: number;
  /**
   * Aborted when Foyer stops or when the turn's time is up. The time limit is one interval, but at most ten minutes. If
   * `foyer.drain` runs the job, the limit is also at most the time that this call of `drain` has left.
   */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const longestTurnMs = 10 * 60_000;
/** How long a turn may continue after its signal was aborted. Then Foyer no longer waits for it. */
const noticeMs = 2000;
/** How often a process checks whether a job is due, except while it runs that job. */
const lookMs = 1000;
/**
 * Extra time in a turn's lease. It allows for recording the turn's end, and for another machine's clock that is ahead.
 */
const recordMs = 5000;

export type Jobs = ReturnType<typeof createJobs>;

/** Creates the runner of a definition's jobs. No job runs before `start` or `pass` is called. */
export function createJobs<Foyer>(deps: {
  jobs: readonly Job<Foyer>[];
  foyer(): Foyer;
  database: Database;
  /** Part of the name under which the database records a job, because several apps may share a database. */
  clientId: string;
  /** The name of this machine and process, as operators see it. */
  machine: string;
  now: () => number;
  log: Logger;
}) {
  const { jobs, database, clientId, machine, now } = deps;
  const stopping = new AbortController();
  /**
   * The key is the name of a job. The value is the start of the interval for which this process last tried to claim the
   * job. Because of this map, the process queries the database once per interval, not once per second.
   */
  const taken = new Map<string, number>();

  async function doIfDue(job: Job<Foyer>, limitMs = Infinity): Promise<void> {
    const { name, everyMs } = job;
    const dueAt = Math.floor(now() / everyMs) * everyMs;
    if (taken.get(name) === dueAt) return;
    const turnMs = Math.ceil(Math.min(everyMs, longestTurnMs, limitMs));
    const isOurs = await takeInterval(database, {
      ...{ chore: choreOf(clientId, name), dueAt, everyMs, now: now(), machine },
      leasedUntil: now() + turnMs + noticeMs + recordMs,
    });
    taken.set(name, dueAt);
    if (isOurs) await doTurn(job, dueAt, turnMs);
  }

  async function doTurn(job: Job<Foyer>, dueAt: number, limitMs: number): Promise<void> {
    const log = deps.log.child({ job: job.name });
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(limitMs)]);
    const over = new AbortController();
    const begunAt = performance.now();
    const tookMs = () => Math.round(performance.now() - begunAt);
    let errorCode: string | null = null;
    try {
      const work = Promise.resolve().then(() => job.run({ foyer: deps.foyer(), dueAt, signal, log }));
      // Abandoned work may still reject, and that must not end the process.
      work.catch(() => {});
      const leave = sleep(limitMs, undefined, { signal: AbortSignal.any([signal, over.signal]) })
        .catch(() => {})
        .then(() => sleep(noticeMs, undefined, { signal: over.signal }))
        .then(() => {
          throw new Error(`The job did not end within ${noticeMs / 1000} s after its signal was aborted`);
        });
      leave.catch(() => {});
      await Promise.race([work, leave]);
      log.info({ ms: tookMs() }, 'job done');
    } catch (error) {
      log.error({ err: error }, 'a job failed; it runs again in the next interval');
      errorCode = stopping.signal.aborted ? 'stopped' : signal.aborted ? 'time_limit' : errorCodeOf(error);
    } finally {
      over.abort();
    }
    await recordEnd(job, dueAt, { took_ms: tookMs(), error_code: errorCode }).catch((error) =>
      log.warn({ err: error }, 'could not record how a job ended; it is shown as interrupted'),
    );
  }

  /** Records how a turn ended. If a later turn has begun in the meantime, that turn keeps its lease. */
  async function recordEnd(
    { name }: Job<Foyer>,
    dueAt: number,
    end: { took_ms: number; error_code: string | null },
  ): Promise<void> {
    const outcome = end.error_code === null ? 'succeeded' : 'failed';
    await database.write((transaction) =>
      transaction
        .updateTable('chores')
        .set((eb) => ({
          ...{ ...end, ended_at: now(), outcome },
          leased_until: eb.case().when('begun_at', '=', dueAt).then(null).else(eb.ref('leased_until')).end(),
        }))
        .where('name', '=', choreOf(clientId, name))
        .execute(),
    );
  }

  return {
    /** Runs each job when it is due, from now on. */
    start: (): Chore[] =>
      jobs.map((job) =>
        repeat({
          everyMs: Math.min(job.everyMs, lookMs),
          what: `begin the job ${job.name}`,
          work: () => doIfDue(job),
          log: deps.log,
        }),
      ),
    /** Runs the jobs that are due now, within `limitMs`. */
    async pass(limitMs: number): Promise<void> {
      await Promise.all(jobs.map((job) => doIfDue(job, limitMs)));
    },
    /** Aborts the turns in progress. */
    abort: (): void => stopping.abort(),
  };
}

/**
 * Returns the error's code, a cause's code or the name of the error's class. Never returns the error's message, because
 * the message may contain secrets. Only the log gets the message, and the log hides secrets.
 */
function errorCodeOf(error: unknown): string {
  const { code } = stepFailure(error);
  if (code !== 'unexpected_error' || !(error instanceof Error))
    return isCodeName(code) ? code : 'unexpected_error';
  try {
    const causeCode = causesOf(error)
      .map(namedCode)
      .find((found) => found !== undefined);
    return causeCode ?? (isCodeName(error.name) && error.name !== 'Error' ? error.name : code);
  } catch {
    // The error's cause or name cannot be read, because its getter throws.
    return code;
  }
}

const isCodeName = (text: string): boolean => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(text);

const jobFields = ['name', 'everyMs', 'run'];
const longestIntervalMs = 366 * 24 * 60 * 60 * 1000;

/** Lists all problems in a list of jobs, each with its fix. */
export function checkJobs(jobs: unknown): ConfigProblem[] {
  if (!Array.isArray(jobs)) {
    return [{ name: 'jobs', problem: 'is not a list of jobs', fix: 'give jobs: [yourJob]' }];
  }
  const names = new Set<unknown>();
  return Array.from(jobs).flatMap((job: unknown, index) => {
    const { name, everyMs, run, ...others } = Object(job) as Record<string, unknown>;
    const label = typeof name === 'string' && name !== '' ? `jobs[${index}] (${name})` : `jobs[${index}]`;
    const problems: ConfigProblem[] = [];
    const report = (problem: string, fix: string): void => void problems.push({ name: label, problem, fix });
    if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,59}$/.test(name)) {
      report('has an invalid name', "use lowercase words with hyphens: name: 'bill-teams'");
    } else if (names.has(name)) report('has the same name as an earlier job', 'give each job its own name');
    names.add(name);
    if (!Number.isInteger(everyMs) || Number(everyMs) < 1000 || Number(everyMs) > longestIntervalMs) {
      report('has an invalid `everyMs`', 'give whole milliseconds, from 1,000 to 31,622,400,000 (366 days)');
    }
    if (typeof run !== 'function')
      report('has no run function', 'add a method: async run({ foyer, signal }) { … }');
    for (const other of Object.keys(others)) {
      report(`has an unknown property: ${other}`, `use ${jobFields.join(', ')}`);
    }
    return problems;
  });
}
