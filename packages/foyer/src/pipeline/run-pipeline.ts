import { type Logger, withLineIds } from '../config/log.ts';
import { untraced } from '../config/tracing.ts';
import { readRunConnection } from '../database/connections.ts';
import type { Tx } from '../database/database.ts';
import { findGrantedTeams, lockInstallation } from '../database/installations.ts';
import { forgetPosts } from '../database/once-messages.ts';
import { listQuestions, noteReminded, questionTimes, storeQuestion } from '../database/questions.ts';
import type { Pipeline, RunStatus, StepRow } from '../database/records.ts';
import { type ClaimedRun, holdLease, type RunLease, readClaimedRun } from '../database/run-leases.ts';
import {
  countLostAttempts,
  earlierStepFailed,
  endStep,
  recordStep,
  skipStep,
  startStep,
} from '../database/run-steps.ts';
import { endRun, type Rest, restRun, resumeWaitingRuns } from '../database/runs.ts';
import { endOfLastLife } from '../installations/moments.ts';
import {
  type Attempt,
  attemptHere,
  attemptStep,
  judgeAttempt,
  type Verdict,
  writeLearnt,
} from './attempt.ts';
import { askingStep, questionPosts, unanswered } from './questions.ts';
import { type ActingStep, isStepEnd, type Step, StepError, type StepFacts, type StepWrite } from './step.ts';
import { type PipelineDeps, stepContext, stepFacts } from './step-context.ts';
import { stepFailure } from './step-failure.ts';

/**
 * The run engine. In this order, it checks the lease, settles the attempt that has ended, and settles the steps that
 * need no outside call. Then it starts the next step, lets the run rest, or ends the run.
 *
 * - **run**: one execution of a pipeline for one installation. A worker claims it under a **lease**: a worker that lost
 *   its lease (the run was cancelled, or another worker has it) writes nothing more to the run.
 * - **attempt**: one try of a step. Its start is committed before the step may make an outside call. Its end is
 *   committed together with what follows: the next attempt starts, or the run rests, or the run ends.
 * - **move**: one transaction that takes the run as far as it goes without an outside call. Why: a commit waits for the
 *   disk. An install's pipeline makes 6 commits. With a separate commit for each start and each end, it would make 13.
 * - **rest**: the run waits for a time, an event or an answer, and its worker releases it.
 */

/** How a worker controls an active run. */
interface RunControl {
  /** Aborts when the lease is lost, or when the process is stopping and can wait no longer. */
  signal: AbortSignal;
  /** Whether no further step may start. */
  draining(): boolean;
}

/**
 * Executes a claimed run from its first unfinished step (invariant 2), until the run has to wait or ends.
 * @throws DatabaseUnavailableError; the run then stays leased until the lease is released or expires
 */
export async function runPipeline(deps: PipelineDeps, lease: RunLease, control: RunControl): Promise<void> {
  const { database } = deps;
  const taken = await database.write(async (tx) => {
    const claimed = await readClaimedRun(tx, lease);
    if (!claimed) return undefined;
    const draining = control.draining();
    return { claimed, next: await moveRun(tx, deps, { claimed, lease, rows: claimed.steps, draining }) };
  });
  if (!taken) return;
  const { run, installation } = taken.claimed;
  const origin = await deps.origins?.find(run);
  const { span = untraced } = deps;
  const ids = { requestId: origin?.requestId, runId: run.id, installationId: installation.id };
  const attributes = {
    'foyer.request_id': ids.requestId,
    'foyer.run_id': ids.runId,
    'foyer.installation_id': ids.installationId,
    'foyer.pipeline': run.pipeline,
  };
  await span('foyer run', { parent: origin?.trace ?? null, attributes }, (opened) =>
    withLineIds({ ...ids, traceId: opened.context?.traceId }, () =>
      continueRun(deps, { lease, control, ...taken, callbackAt: origin?.callbackAt }),
    ),
  );
}

/** Executes the steps of a claimed run. Before the call, `moveRun` has moved the run to its first step. */
async function continueRun(
  deps: PipelineDeps,
  taken: { lease: RunLease; control: RunControl; claimed: ClaimedRun; next: Moved; callbackAt?: number },
): Promise<void> {
  const { database, log, now } = deps;
  const { lease, control, claimed } = taken;
  const { run, installation } = claimed;
  const report = createReport(deps, claimed, taken.callbackAt);
  log.info(
    { teamId: installation.team_id ?? installation.enterprise_id, userId: run.user_id },
    'run started',
  );
  let { next } = taken;
  while (next.kind === 'step') {
    for (const ended of next.ended) await report(ended);
    const { toDo, rows, passed } = next;
    const attempt = await attemptInSpan(deps, toDo, control.signal);
    next = await database.write((tx) =>
      moveRun(tx, deps, { claimed, lease, rows, passed, draining: control.draining() }, { toDo, attempt }),
    );
    // If this worker has lost the run, stores the step's write anyway: what the step learned is still true.
    const learnt = next.kind === 'lost' && attempt.kind === 'returned' ? attempt.write : undefined;
    if (learnt) await database.write(learnt);
  }
  if (next.kind === 'lost') {
    log.info('stopped working on the run: it was canceled, or this worker lost its lease');
    return;
  }
  for (const ended of next.ended) await report(ended);
  log.info({ ms: now() - run.created_at }, `run ${next.status}`);
  if (next.status === 'succeeded' || next.status === 'failed') deps.origins?.forget(run.id);
  if (next.status !== 'queued') {
    const { id: runId, pipeline } = run;
    deps.onRunChanged({ runId, pipeline, installationId: installation.id, status: next.status });
  }
}

/** A step to execute now: the start of its attempt is committed. */
interface StepToDo {
  step: ActingStep;
  row: StepRow;
  facts: StepFacts;
  startedAt: number;
}

interface EndedAttempt {
  step: Step;
  /** The step's row; its `attempts` is the number of this attempt. */
  row: StepRow;
  workspaceIds: readonly string[];
  attempt: Attempt;
  verdict: Verdict;
  ms: number;
}

/**
 * The result of a move (explained at the top of this file). `ended` lists the attempts whose end the move stored.
 *
 * - `step`: `toDo` is the step to execute next; `rows` are the current rows of all steps.
 * - `left`: the run has ended or rests, so this worker no longer works on it.
 * - `lost`: this worker no longer has the lease, and wrote nothing.
 */
type Moved =
  | {
      kind: 'step';
      toDo: StepToDo;
      rows: readonly StepRow[];
      /** When to retry a `forOperators` step that failed. Until then, the run continues with the later steps. */
      passed?: Rest;
      ended: readonly EndedAttempt[];
    }
  | { kind: 'left'; status: RunStatus; ended: readonly EndedAttempt[] }
  | { kind: 'lost' };

/** If a process dies in the same step this many times in a row, Foyer assumes that the step kills it. */
const mostLostAttempts = 10;

/**
 * Advances a run in one transaction. `database.write` may repeat the transaction, so this function changes none of its
 * arguments, and its result counts only after the transaction is committed.
 */
async function moveRun(
  tx: Tx,
  deps: PipelineDeps,
  from: { claimed: ClaimedRun; lease: RunLease; rows: readonly StepRow[]; passed?: Rest; draining: boolean },
  done?: { toDo: StepToDo; attempt: Attempt },
): Promise<Moved> {
  const { run, installation } = from.claimed;
  const { random = Math.random, scrub } = deps;
  const now = deps.now();
  const list = stepsOf(deps, run.pipeline);
  const ended: EndedAttempt[] = [];
  let { rows, passed } = from;

  if (done) {
    // 1. Check the lease. If a grant of access can wake the run, lock the installation first: then no other transaction
    //    can commit a grant until this transaction ends. If a grant was committed before the lock, `follow` sees it. If
    //    a grant is committed later, it wakes the run.
    if (isWokenByGrant(done.attempt, installation)) await lockInstallation(tx, { id: installation.id });
    if (!(await holdLease(tx, from.lease))) return { kind: 'lost' };
    // 2. Settle the attempt that has ended.
    const { step, row, facts, startedAt } = done.toDo;
    const attempt = await writeLearnt(tx, done.attempt);
    const verdict = judgeAttempt(attempt, { pipeline: run.pipeline, step, row, now, random, scrub });
    keep(await endStep(tx, row, verdict.ending, now));
    const { workspaceIds } = facts;
    const left = await follow({ step, row, workspaceIds, attempt, verdict, ms: now - startedAt });
    if (left) return left;
  }

  for (;;) {
    const row = rows.find(isNext) ?? rows.find(isUnfinished);
    if (!row) return end();
    if (from.draining) return rest(handBack);
    if (passed && !isNext(row)) return rest(passed);
    const listed = list.find((candidate) => candidate.name === row.name);
    // Only a step that was attempted can have asked a question.
    const asked = row.attempts > 0 ? await listQuestions(tx, { runId: run.id, stepName: row.name }) : [];
    const open = asked.find((question) => question.answeredAt === null);
    const step = listed && open ? askingStep(listed, open) : listed;

    // 3. Settle each step that needs no outside call: the pipeline no longer has the step, the step's question was not
    // answered in time, the step keeps killing the process, it only writes to the database, or it has nothing to do.
    if (!step) {
      const why = { code: 'step_removed', message: 'The pipeline no longer has this step', now };
      keep(await skipStep(tx, row, why));
      continue;
    }
    if (open?.expiresAt != null && open.expiresAt <= now) {
      keep(await skipStep(tx, row, { ...unanswered, now }));
      continue;
    }
    if (await killsItsProcess(tx, row)) {
      keep(await endStep(tx, row, processDied(row), now));
      if (step.required) await skipTheRest();
      continue;
    }
    const workspaceIds = await workspacesOf(tx, from.claimed);
    const uninstalledAt = run.pipeline === 'uninstall' ? run.created_at : undefined;
    const ofRun = { id: run.id, installationId: run.installation_id, uninstalledAt };
    const connection = await readRunConnection(tx, ofRun);
    const facts = stepFacts(deps, from.claimed, { row, rows, workspaceIds, connection, asked });
    const startedAt = deps.now();
    const attempt = await attemptHere(tx, step, facts);

    // 4. Start the next step.
    if (attempt.kind === 'acts') {
      const started = await startStep(tx, row, now);
      keep(started);
      return {
        kind: 'step',
        toDo: { step: attempt.step, row: started, facts, startedAt },
        rows,
        passed,
        ended,
      };
    }
    const verdict = judgeAttempt(attempt, { pipeline: run.pipeline, step, row, now, random, scrub });
    const recorded = await recordStep(tx, row, verdict.ending, now);
    keep(recorded);
    const ms = deps.now() - startedAt;
    const left = await follow({ step, row: recorded, workspaceIds, attempt, verdict, ms });
    if (left) return left;
  }

  /**
   * Whether a step may run now. Steps for operators are retried last: a dead webhook must not delay the other steps.
   */
  function isNext(row: StepRow): boolean {
    const isForOperators = list.find(({ name }) => name === row.name)?.forOperators === true;
    return isUnfinished(row) && !(isForOperators && row.status === 'retrying');
  }

  function keep(row: StepRow): void {
    rows = rows.map((known) => (known.name === row.name ? row : known));
  }

  /** Applies an attempt's verdict to the run. Returns undefined if the run continues with its next step. */
  async function follow(attempted: EndedAttempt): Promise<Moved | undefined> {
    const { rest: toRest, awaits, asks, endsRun } = attempted.verdict;
    ended.push(attempted);
    if (endsRun) await skipTheRest();
    if (asks) return waitForAnswer(attempted, asks);
    if (!toRest) return undefined;
    // If a step has to wait, the run rests. Exception: while a step for operators waits for its retry, the run
    // continues with its other steps.
    const isPassed = attempted.step.forOperators && attempted.verdict.ending.status === 'retrying';
    if (isPassed && rows.some(isNext)) {
      passed = toRest;
      return undefined;
    }
    return rest(awaits && (await hasNewWorkspace(attempted)) ? handBack : toRest);
  }

  /**
   * Whether a workspace has granted access since the attempt began. The grant could not wake this run, which was not
   * waiting yet. If there is such a grant, the run must continue immediately.
   */
  async function hasNewWorkspace({ workspaceIds }: EndedAttempt): Promise<boolean> {
    return (await workspacesOf(tx, from.claimed)).some((id) => !workspaceIds.includes(id));
  }

  /**
   * Stores a question if it is new. Returns undefined if the step must run again: after a new question, its next
   * attempt posts the question; after an answer, its next attempt uses the answer. If an earlier question still has no
   * answer, the run rests until the answer comes, a reminder is due or the question expires. The run of an org-wide
   * install also continues when a workspace grants access: until then, Slack may have refused the message that asks the
   * question.
   */
  async function waitForAnswer(
    attempted: EndedAttempt,
    asks: NonNullable<Verdict['asks']>,
  ): Promise<Moved | undefined> {
    const key = { runId: run.id, stepName: attempted.row.name, questionId: asks.id };
    const times = questionTimes(now, asks.timeLimitMs);
    if (await storeQuestion(tx, { ...key, json: asks.json, now, ...times })) {
      // The step may have asked this question before: when Foyer erases a person's data, it also erases questions. The
      // message of such a question still counts as posted. Forgets the message, so that the next attempt posts the
      // question again.
      const keys = Object.values(questionPosts(key));
      await forgetPosts(tx, { installationId: installation.id, life: run.life, keys });
      return undefined;
    }
    if (asks.reminds) await noteReminded(tx, key);
    const open = (await listQuestions(tx, key)).find((question) => question.answeredAt === null);
    if (!open) return undefined;
    if (await hasNewWorkspace(attempted)) return rest(handBack);
    const due = [open.remindAt, open.expiresAt].filter((at) => at !== null);
    return rest({
      status: 'waiting',
      dueAt: due.length === 0 ? null : Math.min(...due),
      waitingFor: 'answer',
    });
  }

  /** Skips the remaining steps of a run after a required step has failed. */
  async function skipTheRest(): Promise<void> {
    const why = { code: earlierStepFailed, message: 'An earlier step that the run requires has failed', now };
    for (const row of rows.filter(isUnfinished)) keep(await skipStep(tx, row, why));
  }

  /**
   * 5. Let the run rest: this worker releases the run. A worker continues it when it is due, or when its event or
   * answer comes.
   */
  async function rest(wanted: Rest | typeof handBack): Promise<Moved> {
    const until: Rest = wanted === handBack ? { status: 'queued', dueAt: now, waitingFor: null } : wanted;
    await restRun(tx, run.id, until);
    // An `opened` run (or another moment's run) waits until the install run ends. But if the install run itself waits
    // for an event or an answer, that may take days, so the waiting runs continue now.
    if (run.pipeline === 'install' && until.waitingFor !== null)
      await resumeWaitingRuns(tx, { installationId: installation.id, event: run.id, now });
    return { kind: 'left', status: until.status, ended };
  }

  /** 6. End. */
  async function end(): Promise<Moved> {
    const { id, pipeline, installation_id: installationId, user_id: userId } = run;
    const forOperators = list.filter((step) => step.forOperators).map(({ name }) => name);
    const status = await endRun(tx, { id, pipeline, installationId, userId, steps: rows, forOperators, now });
    return { kind: 'left', status, ended };
  }
}

function stepsOf(deps: PipelineDeps, pipeline: Pipeline): readonly Step[] {
  if (pipeline === 'install') return deps.steps;
  return (pipeline === 'uninstall' ? deps.uninstallSteps : deps.momentSteps?.[pipeline]) ?? [];
}

/** Releases the run without a wait: any worker can claim it again immediately. */
const handBack = 'hand back';

const isUnfinished = (row: StepRow): boolean => ['pending', 'running', 'retrying'].includes(row.status);

/** If the run waits after this attempt: whether a grant of access by a workspace wakes the run. */
function isWokenByGrant(attempt: Attempt, installation: ClaimedRun['installation']): boolean {
  if (attempt.kind !== 'returned' || !isStepEnd(attempt.result)) return false;
  const { kind } = attempt.result;
  return kind === 'wait-for' || (kind === 'ask' && installation.is_enterprise_install === 1);
}

/**
 * The workspaces where the app may act. An uninstall ends the access to all of them, although Slack reports no
 * revocation. So for an uninstall run, these are the workspaces where the app could act until then.
 */
async function workspacesOf(
  tx: Tx,
  { run, installation }: Pick<ClaimedRun, 'run' | 'installation'>,
): Promise<readonly string[]> {
  const { client_id: clientId, team_id: teamId, enterprise_id: enterpriseId } = installation;
  if (teamId !== null) return [teamId];
  if (enterpriseId === null) return [];
  const since = run.pipeline === 'uninstall' ? 0 : await endOfLastLife(tx, installation);
  return findGrantedTeams(tx, { clientId, enterpriseId, since });
}

async function killsItsProcess(tx: Tx, row: StepRow): Promise<boolean> {
  if (row.status !== 'running') return false;
  const search = { runId: row.run_id, name: row.name, most: mostLostAttempts };
  return (await countLostAttempts(tx, search)) >= mostLostAttempts;
}

function processDied(row: StepRow) {
  return {
    status: 'failed',
    outcome: 'failed',
    failures: row.failures,
    output: null,
    errorCode: 'process_died',
    errorMessage: `The process died ${mostLostAttempts} times during this step`,
  } as const;
}

async function attemptInSpan(deps: PipelineDeps, toDo: StepToDo, signal: AbortSignal): Promise<Attempt> {
  const { span = untraced } = deps;
  const attributes = { 'foyer.step': toDo.step.name, 'foyer.attempt': toDo.row.attempts };
  return span(`foyer step ${toDo.step.name}`, { attributes }, async (opened) => {
    const attempt = await attemptNow(deps, toDo, signal);
    if (attempt.kind === 'threw') opened.fail(attempt.failure.code);
    return attempt;
  });
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
      deps.log.warn(
        { err: error, step: step.name },
        'a step ended after Foyer had abandoned it, and its result could not be stored',
      );
    });
  };
  const attempt = forbidRepeat(await attemptStep(step, runSignal, makeContext, writeLate), facts);
  if (attempt.kind !== 'returned' || writes.length === 0) return attempt;
  const { write: learnt } = attempt;
  const write: StepWrite = async (transaction) => {
    await learnt?.(transaction);
    for (const work of writes) await work(transaction);
  };
  return { ...attempt, write };
}

/** Makes an attempt fail if it asks a question that is already answered: otherwise, the step would ask forever. */
function forbidRepeat(attempt: Attempt, { answers }: StepFacts): Attempt {
  if (attempt.kind !== 'returned' || !isStepEnd(attempt.result) || attempt.result.kind !== 'ask')
    return attempt;
  if (!Object.hasOwn(answers, attempt.result.question.id)) return attempt;
  const message = 'The step asked a question that is already answered: check context.answer first';
  const error = new StepError('asked_again', message, { final: true });
  return { kind: 'threw', error, failure: stepFailure(error) };
}

/**
 * Creates the function that reports an attempt to the log, to `onStepEnded` and, if the bot's token is dead, to
 * `onTokenDead`. The caller first commits the end of the attempt.
 */
function createReport(deps: PipelineDeps, { run, installation, steps }: ClaimedRun, callbackAt?: number) {
  const { log, now } = deps;
  // Leaves out the time since the callback if the run is retried. Leaves it out for an org-wide install too, because
  // the time would include the wait for the org's admins.
  const isFirstPass = run.pipeline === 'install' && steps.at(-1)?.finished_at === null;
  const isTimed = isFirstPass && callbackAt !== undefined && installation.is_enterprise_install === 0;
  return async function report({ step, row, attempt, verdict, ms }: EndedAttempt): Promise<void> {
    logAttempt(log, { step: step.name, attempt: row.attempts, ms }, attempt, verdict);
    const sinceCallbackMs = isTimed ? now() - callbackAt : undefined;
    deps.onStepEnded?.({ step: step.name, status: verdict.ending.status, ms, sinceCallbackMs });
    if (verdict.tokenDead) await reportDeadToken(deps, log, installation.id, verdict);
  };
}

function logAttempt(log: Logger, fields: object, attempt: Attempt, verdict: Verdict): void {
  const { status, errorCode: code } = verdict.ending;
  const line = { ...fields, code: code ?? undefined, dueAt: verdict.rest?.dueAt ?? undefined };
  if (attempt.kind !== 'threw' || attempt.failure.kind === 'wait') log.info(line, `step ${status}`);
  // A failed step is logged as an error: it stays failed until a person retries it.
  else log[status === 'failed' ? 'error' : 'warn']({ ...line, err: attempt.error }, `step ${status}`);
}

/** Reports a dead token. A failure here does not stop the run: the step's end is already committed. */
async function reportDeadToken(
  deps: PipelineDeps,
  log: Logger,
  installationId: string,
  verdict: Verdict,
): Promise<void> {
  try {
    await deps.onTokenDead({ installationId, code: verdict.ending.errorCode ?? 'token_dead' });
  } catch (error) {
    log.error({ err: error }, 'could not record that the token is dead');
  }
}
