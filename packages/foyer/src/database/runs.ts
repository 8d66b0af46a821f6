import type { Database, Queries, Tx } from './database.ts';
import { appendHistory } from './history.ts';
import { newestInstallRun, type RunRecord, readRun } from './install-record.ts';
import { newId } from './new-id.ts';
import { queueNotice } from './notices.ts';
import type { Given } from './prepared-query.ts';
import { restartQuestions } from './questions.ts';
import type { InstallationRow, Moment, MomentKind, Pipeline, RunStatus, StepRow } from './records.ts';
import { isOfApp } from './run-leases.ts';
import { earlierStepFailed, pendingStep } from './run-steps.ts';

/** The kinds of moments. Each has its own pipeline, which is an option of `defineFoyer`. */
export const momentKinds: readonly MomentKind[] = ['upgraded', 'opened', 'workspaceGranted'];

/** Whether a pipeline belongs to one of the `momentKinds`, and not to an install or uninstall. */
export const isMoment = (pipeline: Pipeline): pipeline is MomentKind =>
  momentKinds.some((kind) => kind === pipeline);

/** The values of a new run. `stepNames` are the steps of the pipeline, in order. */
interface NewRun {
  /** Defaults to the install pipeline. */
  pipeline?: Pipeline;
  installationId: string;
  life: number;
  userId: string;
  stepNames: readonly string[];
  /**
   * What started the run. Undefined for an install or uninstall; for any other run, `moment.kind` is equal to
   * `pipeline`.
   */
  moment?: Moment;
  now: number;
}

/** The columns of a run that no worker holds and that is not due. */
const released = { due_at: null, waiting_for: null, lease_owner: null, lease_until: null };

/** The `waiting_for` of a run that begins only when the uninstall run of its installation has ended. */
const behindUninstallRun = 'uninstall_run';

/**
 * Returns whether an uninstall run of the installation has not ended yet. When an uninstall run ends, it wakes only the
 * runs that already wait for it. So this function locks the uninstall run: it cannot end until the caller's transaction
 * has stored a run that waits for it.
 */
async function isUninstalling(transaction: Tx, installationId: string): Promise<boolean> {
  const unfinished = await transaction
    .selectFrom('runs')
    .select('id')
    .where('installation_id', '=', installationId)
    .where('pipeline', '=', 'uninstall')
    .where('status', 'in', ['queued', 'running', 'waiting'])
    .forUpdate()
    .execute();
  return unfinished.length > 0;
}

/**
 * Finds the install run that an `opened`, `upgraded` or `workspaceGranted` run must wait for: the newest that has not
 * ended. Ignores an install run that waits for a person or an event, since that may take days. Returns undefined if
 * there is none. Locks the run, for the same reason as `isUninstalling`.
 */
async function findInstallRunUnderWay(transaction: Tx, installationId: string): Promise<string | undefined> {
  const run = await newestInstallRun(transaction, installationId)
    .select('id')
    .where('status', 'in', ['queued', 'running', 'waiting'])
    .where((eb) => eb.or([eb('waiting_for', 'is', null), eb('waiting_for', '=', behindUninstallRun)]))
    .forNoKeyUpdate()
    .executeTakeFirst();
  return run?.id;
}

/**
 * Returns the first state of a new run: queued, or waiting for another run. Every run waits for an unfinished uninstall
 * run. An `opened`, `upgraded` or `workspaceGranted` run also waits for an unfinished install run.
 */
async function beginning(
  transaction: Tx,
  run: { installationId: string; pipeline: Pipeline; now: number },
): Promise<Rest> {
  const { installationId, pipeline, now } = run;
  const installRunId = isMoment(pipeline)
    ? await findInstallRunUnderWay(transaction, installationId)
    : undefined;
  const isBehindUninstall = !installRunId && (await isUninstalling(transaction, installationId));
  const waitingFor = installRunId ?? (isBehindUninstall ? behindUninstallRun : undefined);
  if (waitingFor !== undefined) return { status: 'waiting', dueAt: null, waitingFor };
  return { status: 'queued', dueAt: now, waitingFor: null };
}

/** Whether a run cannot begin until another run has ended. */
export const isBehindRun = ({ waiting_for }: { waiting_for: string | null }): boolean =>
  waiting_for === behindUninstallRun || waiting_for?.startsWith('run_') === true;

/**
 * Queues a run with all its steps pending, and returns its id. Call it in the transaction that stores the install, the
 * uninstall or the other change that starts the run: the change and the run must be committed together (invariant 1).
 * If an uninstall run has not ended, the new run waits for it, so that a reinstall never overtakes the cleanup after
 * the uninstall. A run whose pipeline is one of the `momentKinds` also waits for an install run that has not ended.
 */
export async function createRun(transaction: Tx, run: NewRun): Promise<string> {
  const { stepNames, installationId, life, userId, pipeline = 'install' } = run;
  const id = newId('run');
  const newest = await transaction
    .selectFrom('runs')
    .select('created_at')
    .where('installation_id', '=', installationId)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  // A newer run must have a later time, even if the clock of the machine that created an older run is ahead.
  const createdAt = Math.max(run.now, (newest?.created_at ?? 0) + 1);
  const rest: Rest = newest
    ? await beginning(transaction, { installationId, pipeline, now: run.now })
    : { status: 'queued', dueAt: run.now, waitingFor: null };
  await transaction
    .insertInto('runs')
    .values({
      id,
      pipeline,
      installation_id: installationId,
      life,
      user_id: userId,
      status: rest.status,
      created_at: createdAt,
      due_at: rest.dueAt,
      waiting_for: rest.waitingFor,
      moment: run.moment ? JSON.stringify({ ...run.moment, kind: undefined, userId: undefined }) : null,
    })
    .execute();
  if (stepNames.length === 0) return id;
  await transaction
    .insertInto('steps')
    .values(stepNames.map((name, position) => ({ run_id: id, name, position, attempts: 0, ...pendingStep })))
    .execute();
  return id;
}

/** Queues a run that no worker holds. */
export async function queueRun(transaction: Tx, run: { id: string; now: number }): Promise<void> {
  await transaction
    .updateTable('runs')
    .set({ status: 'queued', due_at: run.now, waiting_for: null, finished_at: null })
    .where('id', '=', run.id)
    .execute();
}

/**
 * Repeats a run that has ended: resets the steps in `stepsToRepeat` to pending and queues the run. The steps keep their
 * count of attempts, so that each attempt gets a new number. If the pipeline is one of the `momentKinds`, the run waits
 * for an unfinished install or uninstall run, as a new run does.
 */
export async function repeatRun(
  transaction: Tx,
  run: {
    id: string;
    installationId: string;
    pipeline: Pipeline;
    now: number;
    stepsToRepeat: readonly string[];
  },
): Promise<void> {
  await transaction
    .updateTable('steps')
    .set(pendingStep)
    .where('run_id', '=', run.id)
    .where('name', 'in', run.stepsToRepeat)
    .execute();
  // If Slack refused a step's question, perhaps days ago, the question must be asked again, with new deadlines.
  await restartQuestions(transaction, { runId: run.id, stepNames: run.stepsToRepeat, now: run.now });
  await queueRun(transaction, run);
  if (!isMoment(run.pipeline)) return;
  const { status, dueAt, waitingFor } = await beginning(transaction, run);
  await transaction
    .updateTable('runs')
    .set({ status, due_at: dueAt, waiting_for: waitingFor })
    .where('id', '=', run.id)
    .execute();
}

/**
 * Finds the failed runs that contain a step that failed with `errorCode`, oldest first. Considers only runs of the
 * installation's current life: the runs of moments, and the newest install run, which replaced the older ones.
 */
export async function findStoppedRuns(
  transaction: Tx,
  { id, life }: Pick<InstallationRow, 'id' | 'life'>,
  errorCode: string,
): Promise<{ id: string; pipeline: Pipeline; userId: string }[]> {
  const runs = await transaction
    .selectFrom('runs')
    .select(['id', 'pipeline', 'status', 'user_id as userId'])
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom('steps')
          .select('steps.name')
          .whereRef('steps.run_id', '=', 'runs.id')
          .where('steps.status', '=', 'failed')
          .where('steps.error_code', '=', errorCode),
      ).as('stopped'),
    )
    .where('installation_id', '=', id)
    .where('life', '=', life)
    .where('pipeline', '!=', 'uninstall')
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  const newest = runs.findLast((run) => run.pipeline === 'install');
  return runs.filter(
    (run) => run.status === 'failed' && run.stopped && (run === newest || isMoment(run.pipeline)),
  );
}

/**
 * Finds the steps that a run must repeat: those that failed with `errorCode`, and those that were skipped because an
 * earlier step had failed.
 */
export async function findStoppedSteps(transaction: Tx, runId: string, errorCode: string): Promise<string[]> {
  const steps = await transaction
    .selectFrom('steps')
    .select('name')
    .where('run_id', '=', runId)
    .where((eb) =>
      eb.or([
        eb.and([eb('status', '=', 'failed'), eb('error_code', '=', errorCode)]),
        eb.and([eb('status', '=', 'skipped'), eb('error_code', '=', earlierStepFailed)]),
      ]),
    )
    .execute();
  return steps.map((step) => step.name);
}

/** The state of a run that no worker holds: when it begins or continues, or what it waits for. */
export interface Rest {
  /**
   * queued: a worker may claim the run from `dueAt` on. waiting: the run waits for a time, an event, an answer or
   * another run.
   */
  status: 'queued' | 'waiting';
  /**
   * Null if the run waits for an event or another run. Also null if the run waits for an answer to a question that does
   * not expire, and the reminder was already posted.
   */
  dueAt: number | null;
  waitingFor: string | null;
}

/** Releases the lease of a run, so that a worker can claim the run again later. The caller must hold the lease. */
export async function restRun(transaction: Tx, runId: string, rest: Rest): Promise<void> {
  await transaction
    .updateTable('runs')
    .set({ ...released, status: rest.status, due_at: rest.dueAt, waiting_for: rest.waitingFor })
    .where('id', '=', runId)
    .execute();
}

type RunEnd = 'succeeded' | 'failed';

/**
 * Ends a run as failed if any of its steps failed, otherwise as succeeded. A failed step that is only for operators
 * does not count: an installer must not be blamed for the operators' webhook. Adds an entry to the history, queues a
 * notice to the operators if the run failed, and queues the runs that waited for this one. The caller must hold the
 * lease, and must have ended every step. Returns how the run ended.
 *
 * Why a moment's run adds no entry and no notice: every member has such runs, and their entries would bury the record
 * of the install. The log and the step metrics report their failures, and `show` and `retry --failed` list them.
 */
export async function endRun(
  transaction: Tx,
  run: {
    id: string;
    pipeline: Pipeline;
    installationId: string;
    userId: string;
    steps: readonly StepRow[];
    /** The names of the steps that are only for operators. */
    forOperators: readonly string[];
    now: number;
  },
): Promise<RunEnd> {
  const { id, pipeline, installationId, userId, now } = run;
  const failed = run.steps.filter((step) => step.status === 'failed');
  const isFailed = failed.some((step) => !run.forOperators.includes(step.name));
  const status = isFailed ? 'failed' : 'succeeded';
  await transaction
    .updateTable('runs')
    .set({ ...released, status, finished_at: now })
    .where('id', '=', id)
    .execute();
  if (isMoment(pipeline)) return status;
  const reasons = failed.map((step) => `${step.name} (${step.error_code ?? 'unknown'})`).join(', ');
  await appendHistory(transaction, {
    installationId,
    at: now,
    kind: pipeline === 'uninstall' ? `uninstall_run_${status}` : `run_${status}`,
    userId: pipeline === 'uninstall' ? null : userId,
    detail: reasons === '' ? id : `${id}: ${reasons}`,
  });
  if (status === 'failed') {
    const notice = { installationId, userId, detail: reasons, now };
    await queueNotice(transaction, { ...notice, causeId: `${id}/failed`, kind: 'run_failed' });
  }
  if (pipeline === 'uninstall') await wakeRunsBehind(transaction, installationId, now);
  else await resumeWaitingRuns(transaction, { installationId, event: id, now });
  return status;
}

/**
 * After an uninstall run has ended, queues the runs that waited for it, oldest first. If there is another uninstall run
 * among them, queues no run that was created after it: those runs now wait for that uninstall run.
 */
async function wakeRunsBehind(transaction: Tx, installationId: string, now: number): Promise<void> {
  const behind = await transaction
    .selectFrom('runs')
    .select(['id', 'pipeline'])
    .where('installation_id', '=', installationId)
    .where('waiting_for', '=', behindUninstallRun)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  const nextUninstall = behind.findIndex((run) => run.pipeline === 'uninstall');
  const woken = nextUninstall === -1 ? behind : behind.slice(0, nextUninstall + 1);
  for (const { id } of woken) await queueRun(transaction, { id, now });
}

const cancelledAtOnce = 5000;

/**
 * Cancels the unfinished runs of an installation, except uninstall runs. Returns the ids of the cancelled runs.
 *
 * If `userId` is given, cancels only that person's runs. If `replacedBy` (the id of a new install run) is given,
 * cancels only the other install runs. The `opened`, `upgraded` and `workspaceGranted` runs then remain valid, and wait
 * for the new install run.
 *
 * Marks the unfinished steps of cancelled runs as skipped. A worker that is executing such a step has lost its lease,
 * and writes nothing more to the run.
 */
export async function cancelRuns(
  transaction: Tx,
  cancel: { installationId: string; userId?: string; replacedBy?: string; reason: string; now: number },
): Promise<string[]> {
  const { installationId, userId, replacedBy, reason, now } = cancel;
  const unfinished = await transaction
    .selectFrom('runs')
    .select(['id', 'pipeline', 'user_id'])
    .where((eb) => eb.and({ installation_id: installationId, user_id: userId }))
    .where('pipeline', '!=', 'uninstall')
    .where('status', 'in', ['queued', 'running', 'waiting'])
    .$if(replacedBy !== undefined, (query) =>
      query.where('pipeline', '=', 'install').where('id', '!=', replacedBy ?? ''),
    )
    // Locks an install run before the runs that wait for it. A worker that ends an install run locks in the same order.
    // Otherwise, the two transactions could deadlock.
    .orderBy('created_at')
    .forNoKeyUpdate()
    .execute();
  if (unfinished.length === 0) return [];
  const runIds = unfinished.map((run) => run.id);
  // A large team may have too many runs for one statement: too many values, or too many rows for the time limit.
  for (let at = 0; at < runIds.length; at += cancelledAtOnce) {
    const some = runIds.slice(at, at + cancelledAtOnce);
    await transaction
      .updateTable('steps')
      .set({ status: 'skipped', error_code: 'run_cancelled', error_message: reason, finished_at: now })
      .where('run_id', 'in', some)
      .where('status', 'in', ['pending', 'running', 'retrying'])
      .execute();
    await transaction
      .updateTable('runs')
      .set({ ...released, status: 'cancelled', finished_at: now })
      .where('id', 'in', some)
      .execute();
  }
  const installRuns = unfinished.filter((run) => run.pipeline === 'install');
  for (const run of installRuns) {
    await appendHistory(transaction, {
      installationId,
      at: now,
      kind: 'run_cancelled',
      userId: run.user_id,
      detail: `${run.id}: ${reason}`,
    });
  }
  if (installRuns.length === 0) return runIds;
  const moment = { installationId, pipeline: 'opened', now } as const;
  const { status, dueAt, waitingFor } = await beginning(transaction, moment);
  await transaction
    .updateTable('runs')
    .set({ status, due_at: dueAt, waiting_for: waitingFor })
    .where('installation_id', '=', installationId)
    .where('waiting_for', 'in', (eb) =>
      eb
        .selectFrom('runs as cancelled')
        .select('cancelled.id')
        .where('cancelled.installation_id', '=', installationId)
        .where('cancelled.pipeline', '=', 'install')
        .where('cancelled.status', '=', 'cancelled'),
    )
    .execute();
  return runIds;
}

/**
 * Queues the runs of an installation whose `waiting_for` is `event`. The value of `event` is the name of an event, the
 * id of another run, or `answer`. With `pipeline`, queues only runs of that pipeline. Returns the ids of the queued
 * runs.
 */
export async function resumeWaitingRuns(
  transaction: Tx,
  resume: { installationId: string; event: string; pipeline?: Pipeline; now: number },
): Promise<string[]> {
  const { installationId, event, pipeline, now } = resume;
  const rows = await transaction
    .updateTable('runs')
    .set({ status: 'queued', due_at: now, waiting_for: null })
    // Only waiting runs have a `waiting_for`. If the query also had a condition on the status, SQLite would scan all
    // waiting runs.
    .where((eb) => eb.and({ installation_id: installationId, waiting_for: event, pipeline }))
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}

/**
 * Prepares the query that reads when an app's next run is due, which may be in the past. A running run is due when its
 * lease expires. The query returns undefined if no run has a time.
 */
export function prepareNextDueAt(database: Database, clientId: string): () => Promise<number | undefined> {
  const ask = database.prepare((queries, given: Given<{ clientId: string }>) =>
    queries
      .selectFrom('runs')
      .select('due_at')
      .where('due_at', 'is not', null)
      .where(isOfApp(given.clientId))
      .orderBy('due_at')
      .limit(1),
  );
  return async () => (await ask({ clientId }))?.due_at ?? undefined;
}

/**
 * Finds a run by its id, if its installation belongs to this app. Apps that share a database do not see each other's
 * runs.
 */
export async function findRun(
  queries: Queries,
  clientId: string,
  runId: string,
): Promise<{ id: string; status: RunStatus; installationId: string } | undefined> {
  return queries
    .selectFrom('runs')
    .innerJoin('installations', 'installations.id', 'runs.installation_id')
    .select(['runs.id', 'runs.status', 'installations.id as installationId'])
    .where('runs.id', '=', runId)
    .where('installations.client_id', '=', clientId)
    .executeTakeFirst();
}

/** Counts an installation's runs of these pipelines. */
export async function countRunsOf(
  queries: Queries,
  installationId: string,
  pipelines: readonly Pipeline[],
): Promise<number> {
  const { runs } = await queries
    .selectFrom('runs')
    .select(({ fn }) => fn.countAll<number>().as('runs'))
    .where('installation_id', '=', installationId)
    .where('pipeline', 'in', pipelines)
    .executeTakeFirstOrThrow();
  return runs;
}

/** Reads an installation's runs with their steps, newest first. Reads all pipelines, or only `pipelines`. */
export async function listRuns(
  queries: Queries,
  installationId: string,
  limit: number,
  pipelines?: readonly Pipeline[],
): Promise<RunRecord[]> {
  const rows = await queries
    .selectFrom('runs')
    .select('id')
    .where('installation_id', '=', installationId)
    .$if(pipelines !== undefined, (query) => query.where('pipeline', 'in', pipelines ?? []))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  const runs = await Promise.all(rows.map((row) => readRun(queries, row.id)));
  return runs.filter((run) => run !== undefined);
}
