import { sql } from 'kysely';
import type { Queries } from '../database/database.ts';
import type { PageCursor } from '../database/page.ts';
import type { InstallRequestOutcome } from '../database/records.ts';

/** One OAuth attempt, with the facts that the operator sees. */
export type InstallRequestRecord = Awaited<ReturnType<typeof listInstallRequests>>[number];

/** Returns who made a request, as the team id and user id under which Foyer stores the person. */
export function requesterOf({ teamId, enterpriseId, userId }: InstallRequestRecord) {
  return { teamId: teamId ?? enterpriseId, userId };
}

/** Which install requests to read. A filter that is not set matches all requests. */
interface InstallRequestFilter {
  clientId: string;
  /** Only requests that started at or after `from`, and before `before` (milliseconds since 1970). */
  from?: number;
  before?: number;
  /** The id of the team or enterprise where the app was installed, or should have been. */
  teamId?: string;
  outcome?: InstallRequestOutcome;
  limit: number;
  /**
   * Reads only the requests that are older than this position, or only the newer ones. With `newer`, the order is
   * reversed: oldest first.
   */
  cursor?: PageCursor;
}

/** Reads install requests, newest first (but see `cursor`). */
export async function listInstallRequests(queries: Queries, filter: InstallRequestFilter) {
  const { from, before, teamId, outcome, cursor } = filter;
  const direction = cursor?.towards === 'newer' ? 'asc' : 'desc';
  const idsOf = (column: 'team_id' | 'enterprise_id' | 'requested_team_id') =>
    queries
      .selectFrom('install_requests')
      .select('id')
      .where('client_id', '=', filter.clientId)
      .where(column, '=', teamId ?? '');
  let query = queries
    .selectFrom('install_requests')
    // Reads neither the hash of the progress page's token nor the sealed tokens. The id may be shown: the OAuth state
    // contains it too, but a state is sealed, so no one can make a valid one from the id.
    .select([
      'id',
      'outcome',
      'error_code as errorCode',
      'started_at as startedAt',
      'finished_at as finishedAt',
    ])
    // `requestedTeamId` is the team that the person asked for at the start, by `?team=` or by a connect link.
    .select(['requested_team_id as requestedTeamId', 'team_id as teamId', 'team_name as teamName'])
    .select(['enterprise_id as enterpriseId', 'user_id as userId'])
    .select(['installation_id as installationId', 'run_id as runId']);
  if (from !== undefined) query = query.where('started_at', '>=', from);
  if (before !== undefined) query = query.where('started_at', '<', before);
  if (outcome !== undefined) query = query.where('outcome', '=', outcome);
  // Finds the ids first, with a separate index for each column: an `or` of three columns would scan every row. `idsOf`
  // already limits the ids to the app. With a second condition on the app, SQLite would read all of the app's requests
  // in order.
  if (teamId === undefined) query = query.where('client_id', '=', filter.clientId);
  else {
    query = query.where(
      'id',
      'in',
      idsOf('team_id').unionAll(idsOf('enterprise_id')).unionAll(idsOf('requested_team_id')),
    );
  }
  if (cursor) {
    query = query.where((eb) =>
      eb(
        eb.refTuple('started_at', 'id'),
        cursor.towards === 'newer' ? '>' : '<',
        eb.tuple(cursor.at, cursor.id),
      ),
    );
  }
  return query.orderBy('started_at', direction).orderBy('id', direction).limit(filter.limit).execute();
}

const dayMs = 86_400_000;

/** How many OAuth attempts of one day (UTC) ended with each outcome. */
export interface RequestsOfDay {
  /** The day's first millisecond. */
  day: number;
  installed: number;
  failed: number;
  refused: number;
  cancelled: number;
}

const countedOutcomes = ['installed', 'failed', 'refused', 'cancelled'] as const;

/**
 * Counts the finished install requests of each of the last `days` days by outcome. The oldest day comes first, and the
 * last one is the day of `now`.
 */
export async function countRequestsByDay(
  queries: Queries,
  count: { clientId: string; days: number; now: number },
): Promise<RequestsOfDay[]> {
  const today = Math.floor(count.now / dayMs);
  const first = today - count.days + 1;
  const none = { installed: 0, failed: 0, refused: 0, cancelled: 0 };
  const days = Array.from({ length: count.days }, (_, index) => ({ day: (first + index) * dayMs, ...none }));
  // One subquery for each day and outcome, which reads only the index. With a GROUP BY, the database would sort a busy
  // day's requests.
  const listed = (values: readonly (number | string)[]) =>
    sql.join(values.map((value) => sql`(${sql.lit(value)})`));
  const { rows } = await sql<{
    day: number | string;
    outcome: (typeof countedOutcomes)[number];
    count: Count;
  }>`
    select d.column1 as day, o.column1 as outcome, (
      select count(*) from install_requests
      where client_id = ${count.clientId} and outcome = o.column1
        and started_at >= d.column1 and started_at < d.column1 + ${sql.lit(dayMs)}
    ) as count
    from (values ${listed(days.map(({ day }) => day))}) as d
      cross join (values ${listed(countedOutcomes)}) as o`.execute(queries);
  for (const row of rows) {
    const day = days[Number(row.day) / dayMs - first];
    if (day) day[row.outcome] = Number(row.count);
  }
  return days;
}

/** How long it took from an install to its welcome, in the runs of one day (UTC). */
export interface WelcomesOfDay {
  /** The day's first millisecond. */
  day: number;
  /** How many welcomes were measured. */
  welcomes: number;
  /** This and `slowestMs` are null if no welcome was measured. */
  medianMs: number | null;
  slowestMs: number | null;
}

/** Measures at most this many of the newest finished runs: more would not noticeably change the chart. */
export const mostMeasured = 2000;

/**
 * Measures the time to the welcome on each of the last `days` days. The oldest day comes first, and the last one is the
 * day of `now`.
 */
export async function measureWelcomesByDay(
  queries: Queries,
  measure: { clientId: string; days: number; now: number },
): Promise<WelcomesOfDay[]> {
  const today = Math.floor(measure.now / dayMs);
  const first = today - measure.days + 1;
  // Queries one status at a time: within one status, the index already has the runs in order. With both statuses in one
  // query, the database would have to sort the runs.
  const newest = (status: 'succeeded' | 'failed') =>
    queries
      .selectFrom('runs')
      .innerJoin('installations', 'installations.id', 'runs.installation_id')
      .select('runs.created_at')
      // Not a join: with a join, Postgres would read the whole index of welcomes.
      .select((eb) =>
        eb
          .selectFrom('welcomes')
          .select('sent_at')
          .whereRef('welcomes.installation_id', '=', 'runs.installation_id')
          .whereRef('welcomes.life', '=', 'runs.life')
          .whereRef('welcomes.run_id', '=', 'runs.id')
          .where('welcomes.status', '=', 'sent')
          .limit(1)
          .as('sent_at'),
      )
      .where('runs.status', '=', status)
      .where('runs.pipeline', '=', 'install')
      .where('runs.created_at', '>=', first * dayMs)
      .where('runs.created_at', '<', (today + 1) * dayMs)
      .where('installations.client_id', '=', measure.clientId)
      .orderBy('runs.created_at', 'desc')
      .limit(mostMeasured);
  const both = queries
    .selectFrom(newest('succeeded').as('succeeded'))
    .selectAll()
    .unionAll(queries.selectFrom(newest('failed').as('failed')).selectAll());
  const measured = queries
    .selectFrom(both.as('ended'))
    .select(['created_at', 'sent_at'])
    .orderBy('created_at', 'desc')
    .limit(mostMeasured);
  // The database finds the median: reading thousands of rows to find it here took longer than everything else on the
  // overview.
  const { rows } = await sql<{ day: Count; welcomes: Count; median: Count; slowest: Count }>`
    select day, welcomes, ms as median, slowest from (
      select day, ms, row_number() over (partition by day order by ms) as place,
        count(*) over (partition by day) as welcomes, max(ms) over (partition by day) as slowest
      from (
        select created_at / ${sql.lit(dayMs)} as day,
          case when sent_at > created_at then sent_at - created_at else 0 end as ms
        from ${measured.as('measured')} where sent_at is not null
      ) as timed
    ) as placed
    where place = (welcomes + 1) / 2`.execute(queries);
  const byDay = new Map(rows.map((row) => [Number(row.day), row]));
  return Array.from({ length: measure.days }, (_, index) => {
    const found = byDay.get(first + index);
    return {
      day: (first + index) * dayMs,
      welcomes: Number(found?.welcomes ?? 0),
      medianMs: found ? Number(found.median) : null,
      slowestMs: found ? Number(found.slowest) : null,
    };
  });
}

/** A whole number, as the database drivers return it. */
type Count = number | string | bigint;
