import { AttemptEnded } from './post-once.ts';
import {
  type ActingStep,
  defaultTimeLimitMs,
  isWritten,
  type Json,
  type StepContext,
  type StepEnd,
  type StepWrite,
} from './step.ts';
import { type StepFailure, stepFailure } from './step-failure.ts';

/**
 * How one attempt went. returned: `write` is what is to be committed with its end. interrupted: the run's own signal
 * ended it, so nothing is known and nobody is to blame.
 */
export type Attempt =
  | { kind: 'returned'; result: Json | StepEnd; write?: StepWrite }
  | { kind: 'threw'; failure: StepFailure; error: unknown }
  | { kind: 'interrupted' };

/** How long a step may take to notice that its signal was aborted, before the run goes on without it. */
const noticeMs = 500;

/**
 * Tries a step once, within its time limit. Always settles: a step that ignores its signal is left behind, and what it
 * does later is no longer looked at, but for what it has learnt, which goes to `writeLate`.
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
      // A step that was left behind may still reject, and that must not end the process.
      () => {},
    );
    const result = await Promise.race([work, bounds.givenUp]);
    if (isWritten(result)) return { kind: 'returned', result: result.output, write: result.write };
    return { kind: 'returned', result };
  } catch (error) {
    if (error instanceof AttemptEnded) return { kind: 'returned', result: error.end };
    if (runSignal.aborted) return { kind: 'interrupted' };
    if (bounds.signal.aborted) return { kind: 'threw', failure: overTime(step), error };
    return { kind: 'threw', failure: stepFailure(error), error };
  } finally {
    isOver = true;
    bounds.release();
  }
}

/**
 * Makes the signal that ends an attempt: with its run, or after `limitMs`. `givenUp` rejects a little after that.
 *
 * Why not AbortSignal.any, and no signal for what waits: each comes to an exception with a stack in the end. An attempt at
 * nothing cost 29 µs with them, and costs 4.
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
