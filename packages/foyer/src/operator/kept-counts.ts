import { setImmediate } from 'node:timers/promises';
import type { SelectQueryBuilder } from 'kysely';
import type { Database, Queries } from '../database/database.ts';
import { heldInstallations } from '../database/installations.ts';
import type { InstallationStatus, Tables } from '../database/records.ts';
import { countInstallations } from './installation-lists.ts';
import {
  countRequestsByDay,
  measureWelcomesByDay,
  mostMeasured,
  type RequestsOfDay,
  type WelcomesOfDay,
} from './request-lists.ts';

/**
 * Why counts are stored: counting a million rows takes too long for a page, and on SQLite it blocks everything else. If
 * there are few rows, the page counts them itself, so the number is exact. If there are many, a chore counts the
 * installations every five minutes and each day's requests once, and stores the results. The chore counts rows instead
 * of adding up changes, so a stored number cannot become wrong over time, and installs do no extra work.
 */

/** If there are more rows than this, a page or command shows the stored number instead of counting them. */
const mostCounted = 10_000;
/** If a problem occurs more often than this, Foyer stops counting and says "more than 1000". */
export const mostProblems = 1000;
/** How often the chore calls `keepCounts`. */
export const countsKeptEveryMs = 5 * 60_000;
/**
 * A stored number older than this is not used: the chore must have stopped, for example because no Foyer is running.
 */
const outdatedAfterMs = 3 * countsKeptEveryMs;

const statuses = ['active', 'broken', 'uninstalled'] as const satisfies readonly InstallationStatus[];
type ByStatus = Record<InstallationStatus, number>;

const dayMs = 86_400_000;
/** The charts of the overview show this many days. */
const shownDays = 30;
/**
 * The chore waits this long after a day's end (midnight UTC) before it counts the day. By then, every install that
 * began on that day has ended: the chore that recovers installs has ended the interrupted ones.
 */
const settledAfterMs = 3_600_000;

/** The stored counts of a day that is over. */
interface KeptDay {
  requests: RequestsOfDay;
  welcomes: WelcomesOfDay;
}

interface App {
  clientId: string;
  now: number;
}

/** Counts the rows of a query. Stops at `most`, and reads no further rows. */
export async function countUpTo<T extends keyof Tables>(
  queries: Queries,
  found: SelectQueryBuilder<Tables, T, { id: string }>,
  most: number,
): Promise<number> {
  const { count } = await queries
    .selectFrom(found.limit(most).as('found'))
    .select(({ fn }) => fn.countAll<number | string | bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/**
 * Reads how many installations of an app have each status. If a number is over 10,000, it may be up to 15 minutes old.
 */
export async function readInstallationCounts(queries: Queries, { clientId, now }: App): Promise<ByStatus> {
  const counts = await countFew(queries, clientId);
  if (statuses.every((status) => counts[status] <= mostCounted)) return counts;
  const [row] = await queries
    .selectFrom('kept_counts')
    .select('value')
    .where('client_id', '=', clientId)
    .where('name', '=', 'installations')
    .where('counted_at', '>=', now - outdatedAfterMs)
    .execute();
  const kept = row ? (JSON.parse(row.value) as ByStatus) : await countInstallations(queries, clientId);
  for (const status of statuses)
    if (counts[status] > mostCounted) counts[status] = Math.max(counts[status], kept[status]);
  return counts;
}

/**
 * Counts an app's held installations, up to `most`. Held: Slack calls the installation inactive, and no other
 * installation has shown that the app works.
 */
export async function countHeld(queries: Queries, clientId: string, most = mostCounted): Promise<number> {
  return countUpTo(queries, heldInstallations(queries, clientId), most);
}

/**
 * Returns whether Slack has probably suspended the app. If only one installation is held and others are active, its
 * team may simply have removed the app.
 */
export function isProbablySuspended({ held, active }: { held: number; active: number }): boolean {
  return held > 1 || (held === 1 && active === 0);
}

/**
 * Counts installations by status, up to `mostCounted` + 1 for each. A result of `mostCounted` + 1 means “more than
 * `mostCounted`”.
 */
async function countFew(queries: Queries, clientId: string): Promise<ByStatus> {
  const counts: ByStatus = { active: 0, broken: 0, uninstalled: 0 };
  for (const status of statuses) {
    const found = queries
      .selectFrom('installations')
      .select('id')
      .where('client_id', '=', clientId)
      .where('status', '=', status);
    counts[status] = await countUpTo(queries, found, mostCounted + 1);
  }
  return counts;
}

/**
 * Reads the counts of requests and welcomes for each of the last 30 days, oldest first. If there are at most 2,000
 * requests in that time, counts them all. If there are more, counts only today and the days that the chore has not
 * counted yet, and reads the other counts from the database.
 */
export async function readDays(
  queries: Queries,
  { clientId, now }: App,
): Promise<{ requests: RequestsOfDay[]; welcomes: WelcomesOfDay[] }> {
  const first = firstShownDay(now);
  const isMany = await hasManyRequests(queries, { clientId, from: first });
  const kept = isMany ? await readKeptDays(queries, { clientId, from: first }) : new Map<number, KeptDay>();
  const known: KeptDay[] = [];
  for (let day = first; kept.has(day); day += dayMs) known.push(kept.get(day) as KeptDay);
  const rest = { clientId, days: shownDays - known.length, now };
  return {
    requests: [...known.map(({ requests }) => requests), ...(await countRequestsByDay(queries, rest))],
    welcomes: [...known.map(({ welcomes }) => welcomes), ...(await measureRest())],
  };

  /**
   * If there are many requests, measures each day separately: a query for several days would measure only the newest
   * welcomes, and these might all be from the last day.
   */
  async function measureRest(): Promise<WelcomesOfDay[]> {
    if (!isMany) return measureWelcomesByDay(queries, rest);
    const measured: WelcomesOfDay[] = [];
    for (let at = now - (rest.days - 1) * dayMs; at <= now; at += dayMs)
      measured.push(...(await measureWelcomesByDay(queries, { clientId, days: 1, now: at })));
    return measured;
  }
}

const startOfDay = (at: number): number => Math.floor(at / dayMs) * dayMs;
const firstShownDay = (now: number): number => startOfDay(now) - (shownDays - 1) * dayMs;
/** Returns the name under which a day's counts are stored. The names sort by day. */
const dayName = (day: number): string => `day ${new Date(day).toISOString().slice(0, 10)}`;

async function hasManyRequests(
  queries: Queries,
  { clientId, from }: { clientId: string; from: number },
): Promise<boolean> {
  const found = queries
    .selectFrom('install_requests')
    .select('id')
    .where('client_id', '=', clientId)
    .where('started_at', '>=', from);
  return (await countUpTo(queries, found, mostMeasured + 1)) > mostMeasured;
}

async function readKeptDays(
  queries: Queries,
  { clientId, from }: { clientId: string; from: number },
): Promise<Map<number, KeptDay>> {
  const rows = await queries
    .selectFrom('kept_counts')
    .select('value')
    .where('client_id', '=', clientId)
    .where('name', '>=', dayName(from))
    // The upper bound is a `dayName` too: these names have the same order in every collation of Postgres.
    .where('name', '<', dayName(from + shownDays * dayMs))
    .execute();
  const days = rows.map(({ value }) => JSON.parse(value) as KeptDay);
  return new Map(days.map((day) => [day.requests.day, day]));
}

/**
 * Runs as a chore. If a table has too many rows to count whenever a page of the overview is requested, counts them here
 * and stores the result. Counts each day once, after it is over. That count never changes, even if an installation is
 * erased later.
 * @throws DatabaseUnavailableError
 */
export async function keepCounts(
  database: Pick<Database, 'queries' | 'write'>,
  { clientId, now }: App,
): Promise<void> {
  const { queries } = database;
  const few = await countFew(queries, clientId);
  if (statuses.some((status) => few[status] > mostCounted))
    await keep('installations', await countInstallations(queries, clientId));
  const first = firstShownDay(now);
  if (!(await hasManyRequests(queries, { clientId, from: first }))) return;
  const kept = await readKeptDays(queries, { clientId, from: first });
  for (let day = first; day + dayMs + settledAfterMs <= now; day += dayMs) {
    if (kept.has(day)) continue;
    const ofDay = { clientId, days: 1, now: day };
    const [requests] = await countRequestsByDay(queries, ofDay);
    const [welcomes] = await measureWelcomesByDay(queries, ofDay);
    if (requests && welcomes) await keep(dayName(day), { requests, welcomes } satisfies KeptDay);
    // SQLite answers synchronously. Without this pause after each day, events would wait until the loop has counted
    // every day.
    await setImmediate();
  }
  await database.write((tx) =>
    tx
      .deleteFrom('kept_counts')
      .where('client_id', '=', clientId)
      .where('name', '>=', 'day ')
      .where('name', '<', dayName(first))
      .execute(),
  );

  async function keep(name: string, value: unknown): Promise<void> {
    const row = { value: JSON.stringify(value), counted_at: now };
    await database.write((tx) =>
      tx
        .insertInto('kept_counts')
        .values({ client_id: clientId, name, ...row })
        .onConflict((conflict) => conflict.columns(['client_id', 'name']).doUpdateSet(row))
        .execute(),
    );
  }
}
