import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ActingStep,
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
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), step.timeLimitMs);
  const signal = AbortSignal.any([runSignal, limit.signal]);
  const over = new AbortController();
  try {
    const work = Promise.resolve().then(() => step.run(makeContext(signal)));
    work.then(
      (result) => {
        if (over.signal.aborted && isWritten(result)) writeLate(result.write);
      },
      // A step that was left behind may still reject, and that must not end the process.
      () => {},
    );
    const result = await Promise.race([work, givenUp(signal, over.signal)]);
    if (isWritten(result)) return { kind: 'returned', result: result.output, write: result.write };
    return { kind: 'returned', result };
  } catch (error) {
    if (runSignal.aborted) return { kind: 'interrupted' };
    if (limit.signal.aborted) return { kind: 'threw', failure: overTime(step), error };
    return { kind: 'threw', failure: stepFailure(error), error };
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** Rejects a little after `signal` was aborted; settles without effect when the race was over before. */
async function givenUp(signal: AbortSignal, over: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = () => {
    sleep(noticeMs, undefined, { signal: over }).then(
      () => reject(signal.reason),
      () => {},
    );
  };
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp, { once: true, signal: over });
  return promise;
}

function overTime(step: ActingStep): StepFailure {
  const message = `The step took longer than ${step.timeLimitMs / 1000} s`;
  return { kind: 'retry', code: 'step_timeout', message, tokenDead: false };
}
