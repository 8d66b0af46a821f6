import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSetCookie } from 'cookie';
import type { Database } from '../packages/foyer/src/database/database.ts';
import { countInstallations } from '../packages/foyer/src/operator/installation-lists.ts';
import { keepCounts } from '../packages/foyer/src/operator/kept-counts.ts';
import { freePort } from '../packages/foyer/src/testing/free-port.ts';
import { foyerEnvironment } from './foyer-environment.ts';
import { app } from './load/signed-events.ts';
import { openBenchDatabase } from './open-bench-database.ts';
import { seedInstallations } from './seed-installations.ts';
import { startContender } from './start-contender.ts';
import { startPostgres } from './start-postgres.ts';

/**
 * `npm run bench:operator`: measures how long the operator's pages and the metrics take over HTTP. Foyer runs in its
 * own process, as `npm start` starts it, with 100,000 installations (COUNT sets another number). It uses SQLite or,
 * with ENGINE=postgres, a Postgres that is started for the bench. DATABASE names a file or a Postgres database that is
 * kept: the first run seeds it, and later runs reuse it. The landing page needs no database. Machines differ, so quote
 * a page's time as a multiple of the landing page's time in the same run.
 */

const rounds = Number(process.env.ROUNDS ?? 21);
const password = 'a password for the bench';

const folder = await mkdtemp(join(tmpdir(), 'foyer-bench-'));
const given = process.env.DATABASE;
const postgres = !given && process.env.ENGINE === 'postgres' ? await startPostgres() : undefined;
const place = given ?? (await postgres?.createDatabase('bench')) ?? join(folder, 'foyer.db');
const isPostgres = place.startsWith('postgres');

const database = await openBenchDatabase(place);
let count = await countSeeded(database);
if (count === 0) {
  count = Number(process.env.COUNT ?? 100_000);
  await seedInstallations(database, { clientId: app.clientId, count, now: Date.now() });
  await postgres?.vacuum('bench');
}
// Stores the counts of each day before today. In production, a chore stores them day by day.
const keptSince = performance.now();
await keepCounts(database, { clientId: app.clientId, now: Date.now() });
const firstChoreMs = performance.now() - keptSince;
await keepCounts(database, { clientId: app.clientId, now: Date.now() });
const choreMs = performance.now() - keptSince - firstChoreMs;
await database.close();

// Foyer accepts the operator's forms only at PUBLIC_URL, so the port must be known before the start.
const port = String(await freePort());
const foyer = await startContender('foyer.ts', {
  env: {
    ...foyerEnvironment({ database: isPostgres ? place : `file:${place}` }),
    PORT: port,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    OPERATOR_PASSWORD: password,
    LOG_LEVEL: 'error',
  },
  profile: process.env.PROFILE,
});

async function countSeeded({ queries }: Database): Promise<number> {
  const counts = await countInstallations(queries, app.clientId);
  return counts.active + counts.broken + counts.uninstalled;
}

async function logIn(): Promise<string> {
  const answer = await fetch(`${foyer.url}/operator/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ password }),
  });
  const { name, value } = parseSetCookie(answer.headers.getSetCookie()[0] ?? '');
  if (!value) throw new Error(`the login answered ${answer.status} without a session cookie`);
  return `${name}=${value}`;
}

const cookie = await logIn();

async function get(path: string): Promise<string> {
  const answer = await fetch(foyer.url + path, { headers: { cookie } });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
  return text;
}

/**
 * How long a page took, and how much CPU time Foyer used for it. On SQLite, this CPU time includes the work of the
 * database, and a busy machine hardly changes it.
 */
async function costOf(path: string): Promise<{ ms: number; cpuMs: number; failed: boolean }> {
  const before = await foyer.usage();
  const startedAt = performance.now();
  const answer = await fetch(foyer.url + path, { headers: { cookie } });
  await answer.text();
  const ms = performance.now() - startedAt;
  const { cpuMs } = await foyer.usage();
  return { ms, cpuMs: cpuMs - before.cpuMs, failed: answer.status !== 200 };
}

/**
 * Takes the `older` link on a list's first page, and builds from it the address of a page in the middle of that list.
 */
async function middlePage(path: string): Promise<string> {
  const [, second] = /older=(\d+)\./.exec(await get(path)) ?? [];
  if (second === undefined) throw new Error(`${path} has no second page`);
  return `${path}?older=${Number(second) - middle * 1000}.x`;
}

const middle = Math.floor(count / 2);
const numbered = (kind: string, index: number) => `${kind}${String(index).padStart(9, '0')}`;
const list = '/operator/installations';
const pages: Record<string, string> = {
  'landing page (the yardstick)': '/',
  overview: '/operator',
  'installations, first page': list,
  'installations, middle page': await middlePage(list),
  'installations, broken': `${list}?status=broken`,
  'installations, failed runs': `${list}?run=failed`,
  'installations, waiting runs': `${list}?run=waiting`,
  'installations that are broken and have a failed run': `${list}?run=failed&status=broken`,
  'installations, search for part of a name, many matches': `${list}?q=Globex`,
  'installations, search for a whole name, one match': `${list}?q=Team+${middle}+of+Acme`,
  'installations, search for a name, no match': `${list}?q=Umbrella`,
  'installations, search for a team’s id': `${list}?q=${numbered('T', middle)}`,
  'installations, search for a person’s id': `${list}?q=${numbered('U', middle)}`,
  'installations, search for an id, no match': `${list}?q=T999999999`,
  'one installation': `${list}/${numbered('ins_', middle)}`,
  'one installation, a large team': `${list}/${numbered('ins_', 0)}`,
  'people of a large team, first page': `${list}/${numbered('ins_', 0)}/people`,
  'people of a large team, search for part of a name': `${list}/${numbered('ins_', 0)}/people?q=${middle + 1}`,
  'install requests, first page': '/operator/requests',
  'install requests, middle page': await middlePage('/operator/requests'),
  'install requests, failed': '/operator/requests?outcome=failed',
  'install requests of a team': `/operator/requests?team=${numbered('T', middle)}`,
  sessions: '/operator/sessions',
  metrics: '/metrics',
};

// Measures the pages in turn, so that a slow moment of the machine affects all pages equally.
const costs = new Map(Object.keys(pages).map((name) => [name, [] as Awaited<ReturnType<typeof costOf>>[]]));
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, path] of Object.entries(pages)) {
    const cost = await costOf(path);
    if (round > 0) costs.get(name)?.push(cost);
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const yardstick = median((costs.get('landing page (the yardstick)') ?? []).map(({ ms }) => ms));
console.log(
  `${count} installations on ${isPostgres ? 'Postgres' : 'SQLite'}, ${rounds} rounds, Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}; the chore that stores daily counts took ${firstChoreMs.toFixed(0)} ms, and ${choreMs.toFixed(0)} ms when run again\n`,
);
console.log(
  '| page | fastest ms | median ms | slowest ms | × landing page | Foyer’s CPU ms | failed |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
);
for (const [name, all] of costs) {
  const times = all.map(({ ms }) => ms);
  const cpu = median(all.map(({ cpuMs }) => cpuMs));
  const figures = [Math.min(...times), median(times), Math.max(...times), median(times) / yardstick, cpu];
  const failed = all.filter((each) => each.failed).length;
  console.log(`| ${name} | ${figures.map((value) => value.toFixed(1)).join(' | ')} | ${failed} |`);
}

await foyer.stop();
await postgres?.close();
await rm(folder, { recursive: true });
