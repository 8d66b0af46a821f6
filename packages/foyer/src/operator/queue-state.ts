import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Queries } from '../database/database.ts';
import type { Tables } from '../database/records.ts';
import { isOfApp } from '../database/run-leases.ts';
import { isNewestRun } from './installation-lists.ts';
import { countUpTo, mostProblems } from './kept-counts.ts';
import { countFound } from './token-times.ts';

/** The state of the queue of runs. */
export interface QueueState {
  /** Unfinished runs, by status. */
  queued: number;
  running: number;
  waiting: number;
  /** Runs that a worker could claim now, including runs whose last worker let its lease expire. */
  due: number;
  /** When the oldest of the `due` runs became due; null if `due` is 0. */
  oldestDueAt: number | null;
}

/**
 * Returns a condition that matches the runs of the app. If no other app shares the database, the condition is always
 * true, so that no query has to read the run's installation. Why: an app with a million installations has tens of
 * thousands of waiting runs, and each metrics scrape counts them.
 */
async function ofApp(
  queries: Queries,
  clientId: string,
): Promise<(eb: ExpressionBuilder<Tables, 'runs'>) => Expression<SqlBool>> {
  const others = (beyond: '<' | '>') =>
    queries
      .selectFrom('installations')
      .select('id')
      .where('client_id', beyond, clientId)
      .limit(1)
      .executeTakeFirst();
  const isShared = (await others('<')) !== undefined || (await others('>')) !== undefined;
  return isShared ? isOfApp(clientId) : (eb) => eb.lit(true);
}

/** Reads the state of an app's queue. */
export async function readQueueState(
  queries: Queries,
  { clientId, now }: { clientId: string; now: number },
): Promise<QueueState> {
  const isOwn = await ofApp(queries, clientId);
  const byStatus = await queries
    .selectFrom('runs')
    .select(({ fn }) => ['status', fn.countAll<number | string | bigint>().as('count')])
    .where('status', 'in', ['queued', 'running', 'waiting'])
    .where(isOwn)
    .groupBy('status')
    .execute();
  const due = queries.selectFrom('runs').where('due_at', '<=', now).where(isOwn);
  const oldest = await due.select('due_at').orderBy('due_at').limit(1).executeTakeFirst();
  const state = { queued: 0, running: 0, waiting: 0, due: await countFound(due) };
  for (const { status, count } of byStatus) {
    if (status === 'queued' || status === 'running' || status === 'waiting') state[status] = Number(count);
  }
  return { ...state, oldestDueAt: oldest?.due_at ?? null };
}

/** Counts the installations whose newest run failed, except uninstalled ones. Stops at `mostProblems` + 1. */
export async function countFailingRuns(queries: Queries, clientId: string): Promise<number> {
  const failing = queries
    .selectFrom('runs')
    .innerJoin('installations', 'installations.id', 'runs.installation_id')
    .select('runs.id')
    .where('runs.status', '=', 'failed')
    .where('installations.client_id', '=', clientId)
    .where('installations.status', '!=', 'uninstalled')
    .where(isNewestRun);
  return countUpTo(queries, failing, mostProblems + 1);
}
