import type { Queries } from '../database/database.ts';
import { findGrantedTeams } from '../database/installations/find-granted-teams.ts';
import { lockInstallation } from '../database/installations/lock-installation.ts';
import type { RunStatus, StepRow } from '../database/records.ts';
import { countLostAttempts } from '../database/runs/count-lost-attempts.ts';
import { endRun } from '../database/runs/end-run.ts';
import { endStep } from '../database/runs/end-step.ts';
import { holdLease, type RunLease } from '../database/runs/hold-lease.ts';
import type { ClaimedRun } from '../database/runs/read-claimed-run.ts';
import { type Rest, restRun } from '../database/runs/rest-run.ts';
import { earlierStepFailed, skipStep } from '../database/runs/skip-step.ts';
import { startStep } from '../database/runs/start-step.ts';
import type { Verdict } from './judge-attempt.ts';
import type { Step, WaitEvent } from './step.ts';

/** A step that is to be done now; `rows` are all of the run's steps, it among them, as they stand. */
export interface StepToDo {
  kind: 'step';
  step: Step;
  row: StepRow;
  rows: readonly StepRow[];
  /** The workspaces in which the app may act, as the step begins. */
  workspaceIds: readonly string[];
}

/** Where a commit has left the run. lost: the lease no longer holds, and nothing was written. */
export type Advance = StepToDo | { kind: 'left'; status: RunStatus } | { kind: 'lost' };

/** What a run is moved on by. */
export interface Advancing {
  claimed: ClaimedRun;
  lease: RunLease;
  steps: readonly Step[];
  /** The attempt that has just ended, if there was one. */
  ended: { did: StepToDo; verdict: Verdict } | undefined;
  /** No further step may begin. */
  draining: boolean;
  now: number;
}

/** A step whose process died so often in a row is taken to kill it. */
const mostLostAttempts = 10;

/**
 * Moves a run on in one transaction: the result of the step that ended and the start of the next one are committed
 * together, or the run rests, or it ends. Every write stands behind the lease: whoever has lost it stores nothing.
 */
export async function advanceRun(transaction: Queries, advancing: Advancing): Promise<Advance> {
  const { claimed, ended, now } = advancing;
  // An event that comes now is committed before this, and seen by `restNow`, or behind it, and wakes the run.
  if (ended?.verdict.awaits) await lockInstallation(transaction, { id: claimed.installation.id });
  if (!(await holdLease(transaction, advancing.lease))) return { kind: 'lost' };
  const runId = claimed.run.id;
  if (ended) {
    const { did, verdict } = ended;
    await endStep(
      transaction,
      { runId, name: did.step.name, attempt: did.row.attempts, now },
      verdict.ending,
    );
    if (verdict.rest) {
      const rest = await restNow(transaction, advancing, did, { ...verdict, rest: verdict.rest });
      await restRun(transaction, runId, rest);
      return { kind: 'left', status: rest.status };
    }
    if (verdict.endsRun) await skipTheRest(transaction, advancing);
  }
  return beginNextStep(transaction, advancing);
}

/** An event that came between the step's look and this commit has woken nobody: then there is nothing to wait for. */
async function restNow(
  transaction: Queries,
  { claimed, now }: Advancing,
  did: StepToDo,
  { rest, awaits }: { rest: Rest; awaits?: WaitEvent },
): Promise<Rest> {
  if (awaits !== 'team_access_granted') return rest;
  const workspaceIds = await workspacesOf(transaction, claimed);
  const came = workspaceIds.some((id) => !did.workspaceIds.includes(id));
  return came ? { status: 'queued', dueAt: now, waitingFor: null } : rest;
}

async function workspacesOf(transaction: Queries, { installation }: ClaimedRun): Promise<string[]> {
  const { client_id: clientId, team_id: teamId, enterprise_id: enterpriseId } = installation;
  if (teamId !== null) return [teamId];
  return enterpriseId === null ? [] : findGrantedTeams(transaction, { clientId, enterpriseId });
}

async function beginNextStep(transaction: Queries, advancing: Advancing): Promise<Advance> {
  const { claimed, steps, draining, now } = advancing;
  const { id: runId, installation_id: installationId, user_id: userId } = claimed.run;
  for (;;) {
    const rows = await readSteps(transaction, runId);
    const row = rows.find((candidate) => isUnfinished(candidate));
    if (!row) {
      return { kind: 'left', status: await endRun(transaction, { id: runId, installationId, userId, now }) };
    }
    if (draining) {
      await restRun(transaction, runId, { status: 'queued', dueAt: now, waitingFor: null });
      return { kind: 'left', status: 'queued' };
    }
    const step = steps.find((candidate) => candidate.name === row.name);
    if (!step) {
      const message = 'The pipeline no longer has this step';
      await skipStep(transaction, { runId, name: row.name, code: 'step_removed', message, now });
    } else if (await killsItsProcess(transaction, row)) {
      await endLostStep(transaction, advancing, step, row);
    } else {
      const attempt = row.attempts + 1;
      await startStep(transaction, { runId, name: row.name, attempt, now });
      const workspaceIds = await workspacesOf(transaction, claimed);
      return { kind: 'step', step, row: { ...row, attempts: attempt }, rows, workspaceIds };
    }
  }
}

async function readSteps(transaction: Queries, runId: string): Promise<StepRow[]> {
  return transaction
    .selectFrom('steps')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('position')
    .execute();
}

const isUnfinished = (row: StepRow): boolean => ['pending', 'running', 'retrying'].includes(row.status);

async function killsItsProcess(transaction: Queries, row: StepRow): Promise<boolean> {
  if (row.status !== 'running') return false;
  const search = { runId: row.run_id, name: row.name, most: mostLostAttempts };
  return (await countLostAttempts(transaction, search)) >= mostLostAttempts;
}

async function endLostStep(
  transaction: Queries,
  advancing: Advancing,
  step: Step,
  row: StepRow,
): Promise<void> {
  const { now } = advancing;
  const ids = { runId: row.run_id, name: row.name, attempt: row.attempts, now };
  await endStep(transaction, ids, {
    status: 'failed',
    outcome: 'failed',
    failures: row.failures,
    output: null,
    errorCode: 'process_died',
    errorMessage: `The process died ${mostLostAttempts} times in this step`,
  });
  if (step.required) await skipTheRest(transaction, advancing);
}

async function skipTheRest(transaction: Queries, { claimed, now }: Advancing): Promise<void> {
  const runId = claimed.run.id;
  const message = 'A step that the run needs had failed before';
  for (const row of await readSteps(transaction, runId)) {
    if (!isUnfinished(row)) continue;
    await skipStep(transaction, { runId, name: row.name, code: earlierStepFailed, message, now });
  }
}
