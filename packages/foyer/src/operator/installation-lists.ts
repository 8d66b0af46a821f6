import { type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Queries } from '../database/database.ts';
import type { InstallRecord } from '../database/install-record.ts';
import { type Page, type PageCursor, type PagePosition, toPage } from '../database/page.ts';
import { namePattern } from '../database/people/member-lists.ts';
import type { InstallationStatus, RunStatus, Tables } from '../database/records.ts';
import { readInstallationsById } from './read-installations.ts';

/** Which installations to find. A filter that is not set matches all installations. */
export interface InstallationSearch {
  clientId: string;
  /**
   * The full id of a team, enterprise, person, installation or run, or else a part of the name of a team or enterprise.
   */
  text?: string;
  /** Whether a name must be equal to the text, regardless of case, and not only contain it. */
  isWholeName?: boolean;
  statuses?: readonly InstallationStatus[];
  /** The status of the newest install run. */
  runStatus?: RunStatus;
  limit: number;
  cursor?: PageCursor;
}

interface Found extends PagePosition {
  installationId: string;
}

type Where<T extends keyof Tables> = ExpressionBuilder<Tables, T>;

/**
 * Reads a page of installations, each with its newest run, ordered by the time of the install. If `runStatus` is given
 * and is not `succeeded`, they are ordered by the time of the run.
 *
 * Why two queries: few runs fail or wait, so a query for failed or waiting runs starts from the runs. Nearly all runs
 * succeed, so a query for successful runs starts from the installations and looks up the newest run of each.
 */
export async function listInstallationsPage(
  queries: Queries,
  search: InstallationSearch,
): Promise<Page<InstallRecord>> {
  const { limit, cursor, runStatus } = search;
  const ids =
    search.text === undefined ? [] : await findInstallationIds(queries, { ...search, text: search.text });
  const byRun = runStatus !== undefined && runStatus !== 'succeeded';
  const found = byRun
    ? await findByRun(queries, { ...search, runStatus }, ids)
    : await findByInstall(queries, search, ids);
  const page = toPage<Found>(found, { limit, cursor, positionOf: ({ at, id }) => ({ at, id }) });
  const shown = page.rows.map((row) => row.installationId);
  return { ...page, rows: await readInstallationsById(queries, shown) };
}

async function findByInstall(
  queries: Queries,
  search: InstallationSearch,
  ids: readonly string[],
): Promise<Found[]> {
  const { cursor, statuses, text, runStatus } = search;
  const direction = cursor?.towards === 'newer' ? 'asc' : 'desc';
  let query = queries
    .selectFrom('installations')
    .select(['installations.id', 'installations.id as installationId', 'installed_at as at'])
    .where('client_id', '=', search.clientId);
  if (statuses !== undefined) query = query.where('installations.status', 'in', statuses);
  if (text !== undefined) query = query.where((eb) => matchesText(eb, { ...search, text }, ids));
  if (runStatus !== undefined) {
    query = query.where(
      (eb) =>
        eb
          .selectFrom('runs')
          .select('runs.status')
          .whereRef('runs.installation_id', '=', 'installations.id')
          .where('runs.pipeline', '=', 'install')
          .orderBy('runs.created_at', 'desc')
          .orderBy('runs.id', 'desc')
          .limit(1),
      '=',
      runStatus,
    );
  }
  if (cursor) {
    query = query.where((eb) =>
      eb(
        eb.refTuple('installed_at', 'installations.id'),
        cursor.towards === 'newer' ? '>' : '<',
        eb.tuple(cursor.at, cursor.id),
      ),
    );
  }
  return query
    .orderBy('installed_at', direction)
    .orderBy('installations.id', direction)
    .limit(search.limit + 1)
    .execute();
}

async function findByRun(
  queries: Queries,
  search: InstallationSearch & { runStatus: RunStatus },
  ids: readonly string[],
): Promise<Found[]> {
  const { cursor, statuses, text } = search;
  const direction = cursor?.towards === 'newer' ? 'asc' : 'desc';
  let query = queries
    .selectFrom('runs')
    .innerJoin('installations', 'installations.id', 'runs.installation_id')
    .select(['runs.id', 'runs.installation_id as installationId', 'runs.created_at as at'])
    .where('runs.status', '=', search.runStatus)
    .where('installations.client_id', '=', search.clientId)
    .where(isNewestRun);
  if (statuses !== undefined) query = query.where('installations.status', 'in', statuses);
  if (text !== undefined) query = query.where((eb) => matchesText(eb, { ...search, text }, ids));
  if (cursor) {
    query = query.where((eb) =>
      eb(
        eb.refTuple('runs.created_at', 'runs.id'),
        cursor.towards === 'newer' ? '>' : '<',
        eb.tuple(cursor.at, cursor.id),
      ),
    );
  }
  return query
    .orderBy('runs.created_at', direction)
    .orderBy('runs.id', direction)
    .limit(search.limit + 1)
    .execute();
}

/**
 * Returns a condition for a query of `runs` that matches only the newest install run of each installation: the outcome
 * of older install runs no longer matters.
 */
export function isNewestRun(eb: Where<'runs'>) {
  const isNewest = eb.not(
    eb.exists(
      eb
        .selectFrom('runs as newer')
        .select('newer.id')
        .whereRef('newer.installation_id', '=', 'runs.installation_id')
        .where('newer.pipeline', '=', 'install')
        .where((inner) =>
          inner.or([
            inner('newer.created_at', '>', inner.ref('runs.created_at')),
            inner.and([
              inner('newer.created_at', '=', inner.ref('runs.created_at')),
              inner('newer.id', '>', inner.ref('runs.id')),
            ]),
          ]),
        ),
    ),
  );
  return eb.and([eb('runs.pipeline', '=', 'install'), isNewest]);
}

/**
 * Matches a text that can only be an id: Slack's id of a team, an enterprise or a person, or Foyer's id of an
 * installation or a run.
 */
const anId = /^(?:[TEUW](?=[A-Z]*\d)[A-Z0-9]{8,31}|(?:ins|run)_[0-9A-Z]{26})$/;

/**
 * Returns a condition that matches the `ids` if there are any, else the name. Exception: if the text can only be an id,
 * the condition matches nothing, because a search for a name may have to read every name.
 */
function matchesText(
  eb: Where<'installations'>,
  { text, isWholeName }: { text: string; isWholeName?: boolean },
  ids: readonly string[],
) {
  if (ids.length > 0) return eb('installations.id', 'in', ids);
  if (anId.test(text)) return eb.lit(false);
  const part = namePattern(text);
  const pattern = isWholeName ? part.slice(1, -1) : part;
  return eb.or([
    sql<SqlBool>`lower(${eb.ref('installations.team_name')}) like ${pattern} escape '\\'`,
    sql<SqlBool>`lower(${eb.ref('installations.enterprise_name')}) like ${pattern} escape '\\'`,
  ]);
}

/** A search by the id of an enterprise or a person reads at most this many rows of each table. */
const most = 500;

/**
 * Finds installations by the id of a team, an enterprise (its org-wide install and those of its teams), a person (where
 * they installed or are members), an installation or one of its runs. Returns an empty list if the text is not an id.
 */
export async function findInstallationIds(
  queries: Queries,
  search: { clientId: string; text: string },
): Promise<string[]> {
  const { clientId, text } = search;
  if (/^(ins|run)_\w+$/.test(text)) return findByOwnId(queries, clientId, text);
  const id = text.toUpperCase();
  if (!/^[A-Z][A-Z0-9]{1,31}$/.test(id)) return [];
  const installations = queries
    .selectFrom('installations')
    .select('installations.id')
    .where('installations.client_id', '=', clientId);
  const rows = await Promise.all([
    installations.where('tenant', 'in', [`team:${id}`, `enterprise:${id}`]).execute(),
    installations.where('enterprise_id', '=', id).limit(most).execute(),
    installations.where('installer_user_id', '=', id).limit(most).execute(),
    findByMember(queries, clientId, id),
  ]);
  return [...new Set(rows.flat().map((row) => row.id))];
}

async function findByOwnId(queries: Queries, clientId: string, id: string): Promise<string[]> {
  const run = await queries
    .selectFrom('runs')
    .select('installation_id')
    .where('id', '=', id)
    .executeTakeFirst();
  const rows = await queries
    .selectFrom('installations')
    .select('id')
    .where('client_id', '=', clientId)
    .where('id', '=', run?.installation_id ?? id)
    .execute();
  return rows.map((row) => row.id);
}

async function findByMember(queries: Queries, clientId: string, userId: string): Promise<{ id: string }[]> {
  const memberships = await queries
    .selectFrom('memberships')
    .select('team_id')
    .where('client_id', '=', clientId)
    .where('user_id', '=', userId)
    .limit(most)
    .execute();
  if (memberships.length === 0) return [];
  const tenants = memberships.flatMap(({ team_id }) => [`team:${team_id}`, `enterprise:${team_id}`]);
  return queries
    .selectFrom('installations')
    .select('id')
    .where('client_id', '=', clientId)
    .where('tenant', 'in', tenants)
    .execute();
}

/** Counts an app's installations by status. */
export async function countInstallations(
  queries: Queries,
  clientId: string,
): Promise<Record<InstallationStatus, number>> {
  const rows = await queries
    .selectFrom('installations')
    .select(({ fn }) => ['status', fn.countAll<number | string | bigint>().as('count')])
    .where('client_id', '=', clientId)
    .groupBy('status')
    .execute();
  const counts = { active: 0, broken: 0, uninstalled: 0 };
  for (const row of rows) counts[row.status] = Number(row.count);
  return counts;
}

/** A set of scopes, and how many installations have been granted exactly these scopes. */
interface GrantedScopes {
  scopes: string[];
  installations: number;
}

/** Counts an app's active installations with a bot, by their granted scopes. */
export async function countGrantedScopes(queries: Queries, clientId: string): Promise<GrantedScopes[]> {
  const rows = await queries
    .selectFrom('installations')
    .select(({ fn }) => ['bot_scopes', fn.countAll<number | string | bigint>().as('count')])
    .where('client_id', '=', clientId)
    .where('status', '=', 'active')
    .where('bot_scopes', 'is not', null)
    .groupBy('bot_scopes')
    .execute();
  return rows.map((row) => ({
    scopes: JSON.parse(row.bot_scopes ?? '[]') as string[],
    installations: Number(row.count),
  }));
}

/** Lists the ids of the users whose own tokens are stored with an installation. */
export async function listTokenHolders(queries: Queries, installationId: string): Promise<string[]> {
  const rows = await queries
    .selectFrom('user_tokens')
    .select('user_id')
    .where('installation_id', '=', installationId)
    .orderBy('user_id')
    .execute();
  return rows.map((row) => row.user_id);
}
