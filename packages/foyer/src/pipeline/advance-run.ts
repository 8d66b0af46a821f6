import { readRunConnection } from '../database/connections.ts';
import type { Tx } from '../database/database.ts';
import { lockInstallation } from '../database/installations.ts';
import type { StepRow } from '../database/records.ts';
import { holdLease } from '../database/run-leases.ts';
import { countLostAttempts, endStep, recordStep, skipStep, startStep } from '../database/run-steps.ts';
import { type ClaimedRun, endRun, readClaimedRun } from '../database/runs.ts';
import { attemptHere, writeLearnt } from './attempt-here.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import {
  type Advance,
  type Advancing,
  type DoneStep,
  follow,
  handBack,
  isUnfinished,
  judge,
  keep,
  leave,
  type RunMove,
  skipTheRest,
  workspacesOf,
} from './run-move.ts';
import type { Step } from './step.ts';
import { stepFacts } from './step-context.ts';

/** A step whose process died so often in a row is taken to kill it. */
const mostLostAttempts = 10;

/**
 * Takes a claimed run up, and moves it on as `advanceRun` does, in the same transaction. Undefined where the lease no
 * longer holds.
 */
export async function takeUpRun(
  transaction: Tx,
  deps: PipelineDeps,
  { lease, draining }: Pick<Advancing, 'lease' | 'draining'>,
): Promise<{ claimed: ClaimedRun; next: Advance } | undefined> {
  const claimed = await readClaimedRun(transaction, lease);
  if (!claimed) return undefined;
  const advancing = { claimed, lease, rows: claimed.steps, draining };
  return { claimed, next: await beginNextStep(moveOf(transaction, deps, advancing)) };
}

/**
 * Moves a run on in one transaction, as far as it goes without asking anybody: how the step that was done has ended and
 * what it has learnt, the steps that only write and those for which there is nothing to do, and the start of the next
 * one; or the run rests, or it ends. Every write stands behind the lease: whoever has lost it stores nothing.
 *
 * Why in one: a commit waits for the disk. An install makes 6 in its pipeline, where a commit for each start and end
 * made 13.
 */
export async function advanceRun(
  transaction: Tx,
  deps: PipelineDeps,
  advancing: Advancing,
  done: DoneStep,
): Promise<Advance> {
  const { claimed, lease } = advancing;
  const move = moveOf(transaction, deps, advancing);
  // An event that comes now is committed before this, and seen by `follow`, or behind it, and wakes the run.
  if (judge(move, done.toDo.step, done.toDo.row, done.attempt).awaits) {
    await lockInstallation(transaction, { id: claimed.installation.id });
  }
  if (!(await holdLease(transaction, lease))) return { kind: 'lost' };
  return (await endDone(move, done)) ?? beginNextStep(move);
}

function moveOf(transaction: Tx, deps: PipelineDeps, advancing: Advancing): RunMove {
  return { ...advancing, deps, transaction, now: deps.now(), ended: [] };
}

async function endDone(move: RunMove, done: DoneStep): Promise<Advance | undefined> {
  const { step, row, facts, startedAt } = done.toDo;
  const attempt = await writeLearnt(move.transaction, done.attempt);
  const verdict = judge(move, step, row, attempt);
  keep(move, await endStep(move.transaction, row, verdict.ending, move.now));
  const { workspaceIds } = facts;
  return follow(move, { step, row, workspaceIds, attempt, verdict, ms: move.now - startedAt });
}

async function beginNextStep(move: RunMove): Promise<Advance> {
  const { deps, transaction, claimed, draining, now } = move;
  const { id, pipeline, installation_id: installationId, user_id: userId } = claimed.run;
  const { steps, uninstallSteps = [] } = deps;
  const list = pipeline === 'install' ? steps : uninstallSteps;
  for (;;) {
    const row = move.rows.find(isUnfinished);
    if (!row) {
      const forOperators = list.filter((step) => step.forOperators).map(({ name }) => name);
      const status = await endRun(transaction, {
        id,
        pipeline,
        installationId,
        userId,
        steps: move.rows,
        forOperators,
        now,
      });
      return { kind: 'left', status, ended: move.ended };
    }
    if (draining) return leave(move, handBack(move));
    const step = list.find((candidate) => candidate.name === row.name);
    const advance = step ? await beginStep(move, step, row) : await skipUnknownStep(move, row);
    if (advance) return advance;
  }
}

/** Undefined where the step is settled already, and the next one is to follow. */
async function beginStep(move: RunMove, step: Step, row: StepRow): Promise<Advance | undefined> {
  const { deps, transaction, claimed, rows, now } = move;
  if (await killsItsProcess(transaction, row)) return endLostStep(move, step, row);
  const workspaceIds = await workspacesOf(move);
  const { id, installation_id: installationId } = claimed.run;
  const connection = await readRunConnection(transaction, { id, installationId });
  const facts = stepFacts(deps, claimed, { row, rows, workspaceIds, connection });
  const startedAt = deps.now();
  const attempt = await attemptHere(transaction, step, facts);
  if (attempt.kind === 'acts') {
    const started = await startStep(transaction, row, now);
    keep(move, started);
    const toDo = { step: attempt.step, row: started, facts, startedAt };
    return { kind: 'step', toDo, rows: move.rows, ended: move.ended };
  }
  const verdict = judge(move, step, row, attempt);
  const recorded = await recordStep(transaction, row, verdict.ending, now);
  keep(move, recorded);
  const ms = deps.now() - startedAt;
  return follow(move, { step, row: recorded, workspaceIds, attempt, verdict, ms });
}

async function skipUnknownStep(move: RunMove, row: StepRow): Promise<undefined> {
  const why = { code: 'step_removed', message: 'The pipeline no longer has this step', now: move.now };
  keep(move, await skipStep(move.transaction, row, why));
}

async function killsItsProcess(transaction: Tx, row: StepRow): Promise<boolean> {
  if (row.status !== 'running') return false;
  const search = { runId: row.run_id, name: row.name, most: mostLostAttempts };
  return (await countLostAttempts(transaction, search)) >= mostLostAttempts;
}

async function endLostStep(move: RunMove, step: Step, row: StepRow): Promise<undefined> {
  const ending = {
    status: 'failed',
    outcome: 'failed',
    failures: row.failures,
    output: null,
    errorCode: 'process_died',
    errorMessage: `The process died ${mostLostAttempts} times in this step`,
  } as const;
  keep(move, await endStep(move.transaction, row, ending, move.now));
  if (step.required) await skipTheRest(move);
}
