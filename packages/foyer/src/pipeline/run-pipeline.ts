import type { Logger } from '../config/log.ts';
import type { RunLease } from '../database/run-leases.ts';
import { advanceRun, takeUpRun } from './advance-run.ts';
import { type Attempt, attemptStep } from './attempt-step.ts';
import type { Verdict } from './judge-attempt.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { EndedAttempt, StepToDo } from './run-move.ts';
import type { StepWrite } from './step.ts';
import { stepContext } from './step-context.ts';

/** What the worker may ask of a run under way. */
export interface RunControl {
  /** Aborted when the lease is lost, or the process can wait no longer. */
  signal: AbortSignal;
  /** True once no further step may begin. */
  draining(): boolean;
}

/**
 * Executes a claimed run from its first unfinished step (invariant 2), until it rests or ends. That an attempt begins is
 * committed before its step may ask anybody, and how it ended together with the start of the next. Whoever has lost the
 * lease meanwhile (the run was cancelled, or another worker has it) stores nothing more of the run and stops without a
 * word; only what its last step has learnt is written all the same.
 * @throws DatabaseUnavailableError; the run then stays leased until the lease is given back or lapses
 */
export async function runPipeline(deps: PipelineDeps, lease: RunLease, control: RunControl): Promise<void> {
  const { database, now } = deps;
  const taken = await database.write((transaction) =>
    takeUpRun(transaction, deps, { lease, draining: control.draining() }),
  );
  if (!taken) return;
  const { claimed } = taken;
  const { run, installation } = claimed;
  const log = deps.log.child({ runId: run.id });
  log.info(
    { teamId: installation.team_id ?? installation.enterprise_id, userId: run.user_id },
    'run started',
  );
  let { next } = taken;
  for (;;) {
    if (next.kind === 'lost') break;
    for (const ended of next.ended) await tell(deps, log, installation.id, ended);
    if (next.kind === 'left') break;
    const { toDo, rows } = next;
    const attempt = await attemptNow(deps, toDo, control.signal);
    next = await database.write((transaction) => {
      const advancing = { claimed, lease, rows, draining: control.draining() };
      return advanceRun(transaction, deps, advancing, { toDo, attempt });
    });
    const learnt = next.kind === 'lost' && attempt.kind === 'returned' ? attempt.write : undefined;
    if (learnt) await database.write(learnt);
  }
  if (next.kind === 'lost') {
    log.info('run left to others: it was cancelled, or its lease had lapsed');
    return;
  }
  log.info({ ms: now() - run.created_at }, `run ${next.status}`);
  if (next.status !== 'queued') {
    deps.onRunChanged({ runId: run.id, installationId: installation.id, status: next.status });
  }
}

async function attemptNow(
  deps: PipelineDeps,
  { step, facts }: StepToDo,
  runSignal: AbortSignal,
): Promise<Attempt> {
  const writes: StepWrite[] = [];
  const makeContext = (signal: AbortSignal) =>
    stepContext(deps, facts, { stepName: step.name, signal, writes });
  const writeLate = (write: StepWrite): void => {
    deps.database.write(write).catch((error) => {
      deps.log.warn({ err: error, runId: facts.runId, step: step.name }, 'what a step learnt late is lost');
    });
  };
  const attempt = await attemptStep(step, runSignal, makeContext, writeLate);
  if (attempt.kind !== 'returned' || writes.length === 0) return attempt;
  const { write: learnt } = attempt;
  const write: StepWrite = async (transaction) => {
    await learnt?.(transaction);
    for (const work of writes) await work(transaction);
  };
  return { ...attempt, write };
}

/** An attempt's end is committed, and told. */
async function tell(
  deps: PipelineDeps,
  log: Logger,
  installationId: string,
  { step, row, attempt, verdict, ms }: EndedAttempt,
): Promise<void> {
  logAttempt(log, { step: step.name, attempt: row.attempts, ms }, attempt, verdict);
  deps.onStepEnded?.({ step: step.name, status: verdict.ending.status, ms });
  if (verdict.tokenDead) await tellTokenDead(deps, log, installationId, verdict);
}

function logAttempt(log: Logger, fields: object, attempt: Attempt, verdict: Verdict): void {
  const { status, errorCode: code } = verdict.ending;
  const line = { ...fields, code: code ?? undefined, dueAt: verdict.rest?.dueAt ?? undefined };
  if (attempt.kind !== 'threw' || attempt.failure.kind === 'wait') log.info(line, `step ${status}`);
  else log.warn({ ...line, err: attempt.error }, `step ${status}`);
}

/** The step's end is committed: whatever happens here, the run goes on. */
async function tellTokenDead(
  deps: PipelineDeps,
  log: Logger,
  installationId: string,
  verdict: Verdict,
): Promise<void> {
  try {
    await deps.onTokenDead({ installationId, code: verdict.ending.errorCode ?? 'token_dead' });
  } catch (error) {
    log.error({ err: error }, 'a dead token could not be recorded');
  }
}
