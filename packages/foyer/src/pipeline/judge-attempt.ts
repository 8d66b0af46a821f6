import type { Pipeline, StepRow } from '../database/records.ts';
import type { StepEnding } from '../database/run-steps.ts';
import type { Rest } from '../database/runs.ts';
import type { Attempt } from './attempt-step.ts';
import { retryDelayMs } from './retry-delay.ts';
import { defaultMaxAttempts, isStepEnd, type Json, type Step, type StepEnd, type WaitEvent } from './step.ts';
import type { StepFailure } from './step-failure.ts';

/** What follows from an attempt: where it leaves the step, and the run. */
export interface Verdict {
  ending: StepEnding;
  /** The run rests here; without it, it goes on to the next step. */
  rest?: Rest;
  /** The event that the run is about to wait for: it may have come in the meantime. */
  awaits?: WaitEvent;
  /** The steps after this one cannot do without it. */
  endsRun: boolean;
  tokenDead: boolean;
}

/** What judging needs beside the attempt. */
export interface Judging {
  pipeline: Pipeline;
  step: Step;
  row: StepRow;
  now: number;
  random: () => number;
  scrub(text: string): string;
}

/** Decides what becomes of a step and its run after an attempt. Slack's answer decides; the table is the whole rule. */
export function judgeAttempt(attempt: Attempt, judging: Judging): Verdict {
  switch (attempt.kind) {
    case 'interrupted':
      return handBack(judging, 'interrupted', 'The process stopped in the middle', judging.now);
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
    const message = `The step returned what cannot be stored: JSON of at most ${mostOutputBytes / 1024} kB`;
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
      const why = { errorCode: end.code, errorMessage: judging.scrub(end.message) };
      return goOn({ ...ending, ...why, status: end.kind, outcome: end.kind });
    }
    case 'wait-for':
      if (judging.pipeline === 'uninstall') return judgeFailure(noEventComes, judging);
      return {
        ...goOn({ ...ending, status: 'pending', outcome: 'waiting', errorCode: end.event }),
        rest: { status: 'waiting', dueAt: null, waitingFor: end.event },
        awaits: end.event,
      };
    case 'wait':
      return {
        ...goOn({
          ...ending,
          status: 'retrying',
          outcome: 'waiting',
          errorCode: end.why?.code ?? null,
          errorMessage: end.why ? judging.scrub(end.why.message) : null,
        }),
        rest: waitUntil(now + end.delayMs),
      };
  }
}

/** A reinstall waits for the end of an uninstall run, so that must not wait for what cannot happen any more. */
const noEventComes: StepFailure = {
  kind: 'final',
  code: 'cannot_wait',
  message: 'A step of the uninstall pipeline cannot wait for an event or an answer: the app is gone',
  tokenDead: false,
};

function judgeFailure(failure: StepFailure, judging: Judging): Verdict {
  const { step, row, now, random } = judging;
  const why = { errorCode: failure.code, errorMessage: judging.scrub(failure.message) };
  if (failure.kind === 'database') {
    return handBack(judging, failure.code, why.errorMessage, now + retryDelayMs(row.attempts, random));
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

/** Not the step's fault: it begins anew, as if this attempt had not been. */
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

/**
 * The output as it is stored: no secret reaches the database in it, whatever a step returns (invariant 4). Undefined if
 * it is no JSON, such as something circular, or too long.
 */
function scrubbedJson(output: Json, scrub: (text: string) => string): string | undefined {
  try {
    const text = JSON.stringify(output ?? null, (_key, value) =>
      typeof value === 'string' ? scrub(value) : value,
    );
    return text !== undefined && Buffer.byteLength(text) <= mostOutputBytes ? text : undefined;
  } catch {
    return undefined;
  }
}
