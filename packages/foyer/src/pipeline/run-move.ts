import type { Tx } from '../database/database.ts';
import { findGrantedTeams } from '../database/installations.ts';
import type { RunStatus, StepRow } from '../database/records.ts';
import type { RunLease } from '../database/run-leases.ts';
import { earlierStepFailed, skipStep } from '../database/run-steps.ts';
import type { ClaimedRun } from '../database/runs.ts';
import { type Rest, restRun } from '../database/runs.ts';
import type { Attempt } from './attempt-step.ts';
import { judgeAttempt, type Verdict } from './judge-attempt.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { ActingStep, Step, StepFacts } from './step.ts';

/** A step that is to be done now: that its attempt has begun is committed. */
export interface StepToDo {
  step: ActingStep;
  row: StepRow;
  facts: StepFacts;
  startedAt: number;
}

/** A step that was done, and how that went. */
export interface DoneStep {
  toDo: StepToDo;
  attempt: Attempt;
}

/** An attempt that has ended. */
export interface EndedAttempt {
  step: Step;
  /** As it stood while the attempt was made. */
  row: StepRow;
  workspaceIds: readonly string[];
  attempt: Attempt;
  verdict: Verdict;
  ms: number;
}

/**
 * Where a commit has left the run, with the attempts that ended in it; `rows` are all of its steps as they stand now.
 * lost: the lease no longer holds, and nothing was written.
 */
export type Advance =
  | { kind: 'step'; toDo: StepToDo; rows: readonly StepRow[]; ended: readonly EndedAttempt[] }
  | { kind: 'left'; status: RunStatus; ended: readonly EndedAttempt[] }
  | { kind: 'lost' };

/** What a run is moved on by. */
export interface Advancing {
  claimed: ClaimedRun;
  lease: RunLease;
  /** All of its steps, as they stand. */
  rows: readonly StepRow[];
  /** No further step may begin. */
  draining: boolean;
}

/**
 * One try of the transaction that moves a run on. It may have to be done again: what it finds is never changed, and
 * what it makes counts once it is committed.
 */
export interface RunMove extends Advancing {
  deps: PipelineDeps;
  transaction: Tx;
  now: number;
  ended: EndedAttempt[];
}

/** Decides what follows from an attempt. */
export function judge(move: RunMove, step: Step, row: StepRow, attempt: Attempt): Verdict {
  const { random = Math.random, scrub } = move.deps;
  const { pipeline } = move.claimed.run;
  return judgeAttempt(attempt, { pipeline, step, row, now: move.now, random, scrub });
}

/** Keeps a step's row as it now stands. */
export function keep(move: RunMove, row: StepRow): void {
  move.rows = move.rows.map((known) => (known.name === row.name ? row : known));
}

/** Whether a step is still to be done. */
export const isUnfinished = (row: StepRow): boolean =>
  ['pending', 'running', 'retrying'].includes(row.status);

/** The workspaces in which the app may act. */
export async function workspacesOf({ transaction, claimed }: RunMove): Promise<readonly string[]> {
  const { client_id: clientId, team_id: teamId, enterprise_id: enterpriseId } = claimed.installation;
  if (teamId !== null) return [teamId];
  return enterpriseId === null ? [] : findGrantedTeams(transaction, { clientId, enterpriseId });
}

/** Does what an attempt means to its run; undefined where that simply goes on. */
export async function follow(move: RunMove, ended: EndedAttempt): Promise<Advance | undefined> {
  const { rest, awaits, endsRun } = ended.verdict;
  move.ended.push(ended);
  if (endsRun) await skipTheRest(move);
  if (!rest) return undefined;
  return leave(move, awaits && (await hasCome(move, ended)) ? handBack(move) : rest);
}

/** An event that came between the step's look and this commit has woken nobody: then there is nothing to wait for. */
async function hasCome(move: RunMove, ended: EndedAttempt): Promise<boolean> {
  const workspaceIds = await workspacesOf(move);
  return workspaceIds.some((id) => !ended.workspaceIds.includes(id));
}

/** Lets the run be claimed again at once. */
export const handBack = ({ now }: RunMove): Rest => ({ status: 'queued', dueAt: now, waitingFor: null });

/** Gives the run back until its rest is over. */
export async function leave(move: RunMove, rest: Rest): Promise<Advance> {
  await restRun(move.transaction, move.claimed.run.id, rest);
  return { kind: 'left', status: rest.status, ended: move.ended };
}

/** Skips what is left of a run that cannot do without a step that failed. */
export async function skipTheRest(move: RunMove): Promise<void> {
  const message = 'A step that the run needs had failed before';
  for (const row of move.rows.filter(isUnfinished)) {
    const why = { code: earlierStepFailed, message, now: move.now };
    keep(move, await skipStep(move.transaction, row, why));
  }
}
