import { sql } from 'kysely';
import type { Queries } from '../../database/database.ts';
import { isOfApp } from '../../database/run-leases.ts';
import { isoTime } from '../install-record-json.ts';

/** What a support bundle contains about the records: counts, ids and codes, but nothing about a person. */

const failedRuns = 20;
const dayMs = 24 * 60 * 60_000;

/** Counts an app's runs by pipeline and status. */
export async function countRuns(queries: Queries, clientId: string) {
  const rows = await queries
    .selectFrom('runs')
    .select(({ fn }) => ['pipeline', 'status', fn.countAll<number | string | bigint>().as('count')])
    .where(isOfApp(clientId))
    .groupBy(['pipeline', 'status'])
    .orderBy('pipeline')
    .orderBy('status')
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** Reads the failed steps of the newest failed runs, newest first. */
export async function readFailedSteps(queries: Queries, clientId: string) {
  const runs = await queries
    .selectFrom('runs')
    .select(['id', 'pipeline', 'created_at'])
    .where('status', '=', 'failed')
    .where(isOfApp(clientId))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(failedRuns)
    .execute();
  const ids = runs.map(({ id }) => id);
  if (ids.length === 0) return [];
  const steps = await queries
    .selectFrom('steps')
    .select(['run_id', 'name', 'attempts', 'error_code', 'finished_at'])
    .where('status', '=', 'failed')
    .where('run_id', 'in', ids)
    .orderBy('position')
    .execute();
  const byRun = Map.groupBy(steps, (step) => step.run_id);
  return runs.flatMap(({ id, pipeline }) =>
    (byRun.get(id) ?? []).map((step) => ({
      runId: id,
      pipeline,
      step: step.name,
      attempts: step.attempts,
      errorCode: codeAlone(step.error_code),
      at: isoTime(step.finished_at),
    })),
  );
}

/** Counts the install requests of the last 24 hours, by outcome and error code. */
export async function countRequests(queries: Queries, search: { clientId: string; now: number }) {
  const rows = await queries
    .selectFrom('install_requests')
    .select(({ fn }) => ['outcome', 'error_code', fn.countAll<number | string | bigint>().as('count')])
    .where('client_id', '=', search.clientId)
    .where('started_at', '>=', search.now - dayMs)
    .groupBy(['outcome', 'error_code'])
    .orderBy('outcome')
    .orderBy('error_code')
    .execute();
  return rows.map(({ outcome, error_code, count }) => ({
    outcome,
    errorCode: codeAlone(error_code),
    count: Number(count),
  }));
}

/** Reads the version of a Postgres server. */
export async function readServerVersion(queries: Queries): Promise<string> {
  const { rows } = await sql<{ version: string }>`
    select current_setting('server_version') as version`.execute(queries);
  return rows[0]?.version ?? 'unknown';
}

/**
 * Hides a text that does not look like an error code: apps choose their own codes, and if one is a sentence, it may
 * name a person.
 */
function codeAlone(code: string | null): string | null {
  if (code === null || /^[\w.:-]{1,80}$/.test(code)) return code;
  return '[not a code]';
}
