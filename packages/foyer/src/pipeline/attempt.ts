import { CompiledQuery } from 'kysely';
import type { Tx } from '../database/database.ts';
import type { Pipeline, StepRow } from '../database/records.ts';
import type { StepEnding } from '../database/run-steps.ts';
import type { Rest } from '../database/runs.ts';
import { AttemptEnded } from './send-once.ts';
import {
  type ActingStep,
  defaultMaxAttempts,
  defaultTimeLimitMs,
  isStepEnd,
  isWritten,
  type Json,
  type Step,
  type StepContext,
  type StepEnd,
  type StepFacts,
  type StepWrite,
  type WaitEvent,
} from './step.ts';
import { type StepFailure, stepFailure } from './step-failure.ts';

/**
 * The outcome of one attempt. If the kind is `returned`, the run commits `write` together with the attempt's end. If
 * the kind is `interrupted`, the run's own signal aborted the attempt, so the result is unknown and does not count as a
 * failure.
 */
export type Attempt =
  | { kind: 'returned'; result: Json | StepEnd; write?: StepWrite }
  | { kind: 'threw'; failure: StepFailure; error: unknown }
  | { kind: 'interrupted' };

/**
 * How long a step may keep running after its signal has aborted. Then the run continues without waiting for the step.
 */
const noticeMs = 500;

/**
 * Runs a step once, within its time limit. Always settles: if the step ignores its signal, the attempt no longer waits
 * for it. Any later result of such a step has no effect, except that a `Written` result goes to `writeLate`.
 */
export async function attemptStep(
  step: ActingStep,
  runSignal: AbortSignal,
  makeContext: (signal: AbortSignal) => StepContext,
  writeLate: (write: StepWrite) => void,
): Promise<Attempt> {
  const bounds = boundAttempt(runSignal, step.timeLimitMs ?? defaultTimeLimitMs);
  let isOver = false;
  try {
    const work = Promise.resolve().then(() => step.run(makeContext(bounds.signal)));
    work.then(
      (result) => {
        if (isOver && isWritten(result)) writeLate(result.write);
      },
      // The step may reject after the attempt has ended, and that must not end the process.
      () => {},
    );
    const result = await Promise.race([work, bounds.givenUp]);
    if (isWritten(result)) return { kind: 'returned', result: result.output, write: result.write };
    return { kind: 'returned', result };
  } catch (error) {
    const end = endWithin(error);
    if (end) return { kind: 'returned', result: end };
    if (runSignal.aborted) return { kind: 'interrupted' };
    if (bounds.signal.aborted) return { kind: 'threw', failure: overTime(step), error };
    return { kind: 'threw', failure: stepFailure(error), error };
  } finally {
    isOver = true;
    bounds.release();
  }
}

/**
 * Returns the `StepEnd` in a thrown `AttemptEnded`; undefined for any other error. The `try` is needed because
 * `instanceof` itself throws for some proxies.
 */
function endWithin(error: unknown): StepEnd | undefined {
  try {
    return error instanceof AttemptEnded ? error.end : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Creates an attempt's signal, which aborts when the run's signal aborts, or after `limitMs`. The promise `givenUp`
 * rejects later: `noticeMs` after the attempt's signal has aborted.
 *
 * Why not AbortSignal.any or timers that take a signal: each creates an exception with a stack trace. An empty attempt
 * costs 29 µs with them, and 4 µs without.
 */
function boundAttempt(runSignal: AbortSignal, limitMs: number) {
  const controller = new AbortController();
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  let noticing: NodeJS.Timeout | undefined;
  const end = (reason?: unknown): void => {
    controller.abort(reason);
    noticing ??= setTimeout(() => reject(controller.signal.reason), noticeMs);
  };
  const limiting = setTimeout(end, limitMs);
  const follow = (): void => end(runSignal.reason);
  if (runSignal.aborted) follow();
  else runSignal.addEventListener('abort', follow);
  return {
    signal: controller.signal,
    givenUp,
    release() {
      clearTimeout(limiting);
      clearTimeout(noticing);
      runSignal.removeEventListener('abort', follow);
    },
  };
}

function overTime(step: ActingStep): StepFailure {
  const message = `The step took longer than ${(step.timeLimitMs ?? defaultTimeLimitMs) / 1000} s`;
  return { kind: 'retry', code: 'step_timeout', message, tokenDead: false };
}

/**
 * If a step only writes or has nothing to do, attempts it inside the transaction that advances its run. For any other
 * step, returns `acts`: the caller must first commit the step's start, and then run the step.
 * @throws DatabaseUnavailableError
 */
export async function attemptHere(
  transaction: Tx,
  step: Step,
  facts: StepFacts,
): Promise<Attempt | { kind: 'acts'; step: ActingStep }> {
  try {
    const skip = step.unneeded?.(facts);
    if (skip) return { kind: 'returned', result: skip };
    if (step.run) return { kind: 'acts', step };
    const result = await undoneIfItThrows(transaction, () => step.write(transaction, facts));
    return { kind: 'returned', result };
  } catch (error) {
    return threw(error);
  }
}

/** Executes an attempt's `write`. If that throws, returns a failed attempt. @throws DatabaseUnavailableError */
export async function writeLearnt(transaction: Tx, attempt: Attempt): Promise<Attempt> {
  if (attempt.kind !== 'returned' || !attempt.write) return attempt;
  const { write, result } = attempt;
  try {
    await undoneIfItThrows(transaction, () => write(transaction));
    return { kind: 'returned', result };
  } catch (error) {
    return threw(error);
  }
}

function threw(error: unknown): Attempt {
  const failure = stepFailure(error);
  // The database failed, not the step: the caller retries or abandons the whole transaction.
  if (failure.kind === 'database') throw error;
  return { kind: 'threw', failure, error };
}

/**
 * Undoes the writes of `work` if it throws. Otherwise they would be committed together with the step's failure, and on
 * Postgres all later queries of the transaction would fail.
 */
async function undoneIfItThrows<T>(transaction: Tx, work: () => Promise<T>): Promise<T> {
  const say = (command: string) => transaction.executeQuery(CompiledQuery.raw(command));
  await say('savepoint step');
  try {
    const value = await work();
    await say('release savepoint step');
    return value;
  } catch (error) {
    // If the database failed, it may already have dropped the transaction and its savepoint.
    if (stepFailure(error).kind !== 'database') await say('rollback to savepoint step');
    throw error;
  }
}

/** What an attempt means for its step and its run. */
export interface Verdict {
  ending: StepEnding;
  /** What the run waits for, or until when; absent if the run continues, ends or asks a question. */
  rest?: Rest;
  /** The event that the run is about to wait for; it may already have arrived. */
  awaits?: WaitEvent;
  /**
   * The question that the step asks; `json` is its content. The transaction that ends the attempt stores the question.
   * The run then waits for the answer.
   */
  asks?: { id: string; json: string; timeLimitMs: number | undefined; reminds: boolean };
  /** Whether to skip the later steps, because a required step has failed. */
  endsRun: boolean;
  tokenDead: boolean;
}

interface Judging {
  pipeline: Pipeline;
  step: Step;
  row: StepRow;
  now: number;
  random: () => number;
  scrub(text: string): string;
}

/** Decides what happens to a step and its run after an attempt. */
export function judgeAttempt(attempt: Attempt, judging: Judging): Verdict {
  switch (attempt.kind) {
    case 'interrupted':
      return handBack(judging, 'interrupted', 'The process stopped during this attempt', judging.now);
    case 'threw':
      return judgeFailure(attempt.failure, judging);
    case 'returned':
      return isStepEnd(attempt.result)
        ? judgeEnd(attempt.result, judging)
        : succeeded(attempt.result, judging);
  }
}

function succeeded(result: Json, judging: Judging): Verdict {
  const output = scrubbedJson(result, judging.scrub);
  if (output === undefined) {
    const code = 'invalid_output';
    const message = `The step returned something that cannot be stored: return JSON of at most ${mostOutputBytes / 1024} kB`;
    return judgeFailure({ kind: 'final', code, message, tokenDead: false }, judging);
  }
  return goOn({ ...endingOf(judging), status: 'succeeded', outcome: 'succeeded', output });
}

function judgeEnd(end: StepEnd, judging: Judging): Verdict {
  const { now } = judging;
  const ending = endingOf(judging);
  switch (end.kind) {
    case 'skipped':
    case 'unconfirmed': {
      const why = { errorCode: end.code, errorMessage: storable(end.message, judging) };
      return goOn({ ...ending, ...why, status: end.kind, outcome: end.kind });
    }
    case 'wait-for':
      if (judging.pipeline === 'uninstall') return judgeFailure(noEventComes, judging);
      return {
        ...goOn({ ...ending, status: 'pending', outcome: 'waiting', errorCode: end.event }),
        rest: { status: 'waiting', dueAt: null, waitingFor: end.event },
        awaits: end.event,
      };
    case 'ask': {
      if (judging.pipeline === 'uninstall') return judgeFailure(noEventComes, judging);
      const { id, timeLimitMs } = end.question;
      const json = scrubbedJson({ ...end.question } as unknown as Json, judging.scrub, mostQuestionBytes);
      if (json === undefined) return judgeFailure(questionTooLong, judging);
      return {
        ...goOn({ ...ending, status: 'pending', outcome: 'waiting' }),
        asks: { id, json, timeLimitMs, reminds: end.reminds },
      };
    }
    case 'wait':
      return {
        ...goOn({
          ...ending,
          status: 'retrying',
          outcome: 'waiting',
          errorCode: end.why?.code ?? null,
          errorMessage: end.why ? storable(end.why.message, judging) : null,
        }),
        rest: waitUntil(now + end.delayMs),
      };
  }
}

const questionTooLong: StepFailure = {
  kind: 'final',
  code: 'invalid_question',
  message: 'The question cannot be asked: as JSON, it may be at most 256 kB',
  tokenDead: false,
};

/**
 * An uninstall run must not wait for an event or an answer: the app is gone, so neither can arrive. And a reinstall
 * waits until the uninstall run has ended.
 */
const noEventComes: StepFailure = {
  kind: 'final',
  code: 'cannot_wait',
  message: 'A step of the uninstall pipeline cannot wait for an event or an answer: the app is gone',
  tokenDead: false,
};

const longestErrorMessage = 500;

/** Scrubs a message. Removes U+0000 too, which Postgres cannot store. */
const storable = (message: string, { scrub }: Judging): string => scrub(message).replaceAll('\0', '');

function judgeFailure(failure: StepFailure, judging: Judging): Verdict {
  const { step, row, now, random } = judging;
  // Scrubs before it cuts: a cut may split a secret, and the scrubber does not recognize half a secret.
  const errorMessage = storable(failure.message, judging).slice(0, longestErrorMessage);
  const why = { errorCode: failure.code, errorMessage };
  if (failure.kind === 'database') {
    return handBack(judging, failure.code, errorMessage, now + retryDelayMs(row.attempts, random));
  }
  if (failure.kind === 'wait') {
    return {
      ...goOn({ ...endingOf(judging), ...why, status: 'retrying', outcome: 'waiting' }),
      rest: waitUntil(now + (failure.delayMs ?? 0)),
    };
  }
  const failures = row.failures + 1;
  const ending = { ...endingOf(judging), ...why, failures };
  if (failure.kind === 'retry' && failures < (step.maxAttempts ?? defaultMaxAttempts)) {
    return {
      ...goOn({ ...ending, status: 'retrying', outcome: 'retry' }),
      rest: waitUntil(now + retryDelayMs(failures, random)),
    };
  }
  return {
    ending: { ...ending, status: 'failed', outcome: 'failed' },
    endsRun: step.required ?? false,
    tokenDead: failure.tokenDead,
  };
}

/**
 * Returns the verdict if the process stopped or the database failed: the step runs again, and its failure count stays.
 */
function handBack(judging: Judging, errorCode: string, errorMessage: string, dueAt: number): Verdict {
  return {
    ...goOn({ ...endingOf(judging), status: 'pending', outcome: 'retry', errorCode, errorMessage }),
    rest: { status: 'queued', dueAt, waitingFor: null },
  };
}

const goOn = (ending: StepEnding): Verdict => ({ ending, endsRun: false, tokenDead: false });

const waitUntil = (dueAt: number): Rest => ({ status: 'waiting', dueAt, waitingFor: null });

function endingOf({ row }: Judging) {
  return { failures: row.failures, output: null, errorCode: null, errorMessage: null };
}

const mostOutputBytes = 64 * 1024;
/** Large enough, in any language, for a choice of 100 options with the longest values and labels that Slack allows. */
const mostQuestionBytes = 256 * 1024;

/**
 * Returns the output as JSON. Scrubs its secrets, because no secret may reach the database (invariant 4). Undefined if
 * the output is not JSON (for example, circular) or is too long.
 */
function scrubbedJson(
  output: Json,
  scrub: (text: string) => string,
  mostBytes = mostOutputBytes,
): string | undefined {
  try {
    const text = JSON.stringify(output ?? null, (_key, value) => {
      if (typeof value === 'string') {
        // Checks the length first: scrubbing a hundred megabytes would block the process.
        if (value.length > mostBytes) throw new RangeError('too long');
        return scrub(value);
      }
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
      if (!isObject || !Object.keys(value).some((key) => scrub(key) !== key)) return value;
      // Scrubs keys too: a step may return an object whose keys are tokens.
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [scrub(key), inner]));
    });
    return text !== undefined && Buffer.byteLength(text) <= mostBytes ? text : undefined;
  } catch {
    return undefined;
  }
}

const baseMs = 500;
const mostMs = 5 * 60_000;

/**
 * How long to wait after the n-th failure: a random time from 0 to a limit, which doubles from 0.5 s to 5 min. Why
 * random: otherwise, runs that failed together would retry together. docs/pipelines.md says how long n attempts take.
 */
export function retryDelayMs(failures: number, random: () => number): number {
  const limitMs = Math.min(mostMs, baseMs * 2 ** Math.max(failures - 1, 0));
  return Math.ceil(random() * limitMs);
}
