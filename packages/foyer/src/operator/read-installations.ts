import { sql } from 'kysely';
import type { Queries } from '../database/database.ts';
import {
  type InstallRecord,
  newestConnection,
  recordColumns,
  runColumns,
  stepColumns,
  toInstallRecord,
  toRunRecord,
} from '../database/install-record.ts';
import type { InstallationStatus } from '../database/records.ts';

/** Which installations to read. A filter that is not set matches all installations. */
interface InstallationFilter {
  clientId: string;
  status?: InstallationStatus;
  /** Installed at or after this time, in milliseconds since 1970. */
  since?: number;
}

/**
 * The number of rows in a page. It is small so that the first rows appear soon, and so that V8 can free most rows of a
 * page before it moves them to the old generation.
 */
const pageRows = 50;

/**
 * Reads the installations of an app in pages, newest first, each with its newest run.
 *
 * Why pages: when all 50,000 installations were read in one go, with their runs and steps, that took 1 GB of memory.
 * Each page takes at most three queries.
 */
export async function* readInstallations(
  queries: Queries,
  filter: InstallationFilter,
): AsyncGenerator<InstallRecord[]> {
  const { clientId, status, since } = filter;
  let after: { installed_at: number; id: string } | undefined;
  for (;;) {
    let query = queries
      .selectFrom('installations')
      .select(recordColumns)
      .select(newestConnection)
      .where('client_id', '=', clientId);
    if (status !== undefined) query = query.where('status', '=', status);
    if (since !== undefined) query = query.where('installed_at', '>=', since);
    if (after) {
      const { installed_at, id } = after;
      query = query.where((eb) => eb(eb.refTuple('installed_at', 'id'), '<', eb.tuple(installed_at, id)));
    }
    const rows = await query.orderBy('installed_at', 'desc').orderBy('id', 'desc').limit(pageRows).execute();
    if (rows.length > 0) yield await withRuns(queries, rows);
    if (rows.length < pageRows) return;
    after = rows.at(-1);
  }
}

/**
 * Reads the installations with these ids, in the order of the ids, each with its newest run. Skips ids without an
 * installation.
 */
export async function readInstallationsById(
  queries: Queries,
  ids: readonly string[],
): Promise<InstallRecord[]> {
  if (ids.length === 0) return [];
  const rows = await queries
    .selectFrom('installations')
    .select(recordColumns)
    .select(newestConnection)
    .where('id', 'in', ids)
    .execute();
  const records = new Map((await withRuns(queries, rows)).map((record) => [record.id, record]));
  return ids.flatMap((id) => records.get(id) ?? []);
}

/** Adds the newest run of each installation's install pipeline. */
async function withRuns(
  queries: Queries,
  rows: readonly Parameters<typeof toInstallRecord>[0][],
): Promise<InstallRecord[]> {
  const ids = rows.map(({ id }) => id);
  const isNewest = sql<boolean>`not exists (
    select 1 from runs as newer where newer.installation_id = runs.installation_id and newer.pipeline = 'install'
    and (newer.created_at, newer.id) > (runs.created_at, runs.id))`;
  const runs =
    ids.length === 0
      ? []
      : await queries
          .selectFrom('runs')
          .select([...runColumns, 'installation_id'])
          .where('installation_id', 'in', ids)
          .where('pipeline', '=', 'install')
          .where(isNewest)
          .execute();
  const runIds = runs.map(({ id }) => id);
  const steps =
    runIds.length === 0
      ? []
      : await queries
          .selectFrom('steps')
          .select([...stepColumns, 'run_id'])
          .where('run_id', 'in', runIds)
          .orderBy('position')
          .execute();
  const byRun = Map.groupBy(steps, (step) => step.run_id);
  const newest = new Map(runs.map((run) => [run.installation_id, toRunRecord(run, byRun.get(run.id) ?? [])]));
  return rows.map((row) => toInstallRecord(row, newest.get(row.id) ?? null));
}
