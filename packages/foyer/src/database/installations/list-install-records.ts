import { sql } from 'kysely';
import type { Queries } from '../database.ts';
import {
  type InstallRecord,
  type RunRecord,
  readNewestRun,
  recordColumns,
  toInstallRecord,
  toRunRecord,
} from './install-record.ts';

/** Reads every installation of the app, newest first, each with its newest run. Three queries, however many there are. */
export async function listInstallRecords(queries: Queries, clientId: string): Promise<InstallRecord[]> {
  const rows = await queries
    .selectFrom('installations')
    .select(recordColumns)
    .where('client_id', '=', clientId)
    .orderBy('installed_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  const runs = await newestRuns(queries, clientId);
  return rows.map((row) => toInstallRecord(row, runs.get(row.id) ?? null));
}

/** The newest run of each installation of the app, by installation. */
async function newestRuns(queries: Queries, clientId: string): Promise<Map<string, RunRecord>> {
  const isNewest = sql<boolean>`not exists (
    select 1 from runs as newer where newer.installation_id = runs.installation_id
    and (newer.created_at, newer.id) > (runs.created_at, runs.id))`;
  const ofThisApp = queries
    .selectFrom('runs')
    .innerJoin('installations', 'installations.id', 'runs.installation_id')
    .where('installations.client_id', '=', clientId)
    .where(isNewest);
  const runs = await ofThisApp.selectAll('runs').execute();
  const steps = await ofThisApp
    .innerJoin('steps', 'steps.run_id', 'runs.id')
    .selectAll('steps')
    .orderBy('steps.position')
    .execute();
  const byRun = Map.groupBy(steps, (step) => step.run_id);
  return new Map(runs.map((run) => [run.installation_id, toRunRecord(run, byRun.get(run.id) ?? [])]));
}

/** Finds the installations that a team's or an enterprise's id names: its own, and never another's. */
export async function findInstallRecords(
  queries: Queries,
  clientId: string,
  id: string,
): Promise<InstallRecord[]> {
  const rows = await queries
    .selectFrom('installations')
    .select(recordColumns)
    .where('client_id', '=', clientId)
    .where('tenant', 'in', [`team:${id}`, `enterprise:${id}`])
    .execute();
  return Promise.all(rows.map(async (row) => toInstallRecord(row, await readNewestRun(queries, row.id))));
}
